"""Trains the weights of `context-classifier`, or says how well that works on prompts kept apart.

    python train.py labelled.csv                 writes ../src/model.bin
    python train.py labelled.csv --evaluate      folds that keep a `group` together

The file has the columns prompt, label, traits (joined by `|`) and group. Words are read by the plugin's own code
(`examples/features.rs`), so what is trained is what is served.
"""

import argparse
import collections
import csv
import itertools
import json
import pathlib
import random
import re
import struct
import subprocess
import tempfile

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

HERE = pathlib.Path(__file__).resolve().parent
LABELS = ["artistic", "realistic", "technical", "general"]
TRAITS = ["text", "negation", "quantity"]
FLAGS = ["people", "transparency", "photo", "style", "layout", "thing", "relation", "number", "part", "frame", "order",
         "english", "english-only", "negation", "contrast", "affirms", "unit", "name", "alike",
         "says", "written", "bears", "unsays", "purpose", "street", "subject", "itself"]
NO_ROW = 255
# Settings, chosen on the folds of `--evaluate`.
STRENGTH = {"labels": 0.5, "text": 0.5, "negation": 0.5, "quantity": 0.5}
ROW_SCALE, MEASURE_SCALE, WORD_SCALE = 2.0, 3.0, 1.0
TABLE_ROOM = 1.3
LEAST_PROMPTS, MOST_WORDS = 3, 2200
# Of a prompt that was made up, beside one of the collections.
TAUGHT_WEIGHT = 0.3
POLITE_SHARE, TYPO_SHARE = 0.45, 0.2
# How often each prompt is put in a frame, and how often it is mistyped.
DRAWS = 3
MEASURES = 23
MOST_STEPS = 24


def lexicon():
    """Rows: name, flags, cues, for each cue whether it is foreign (1) or another word in English (2), whether it has a weight."""
    rows = []
    for line in (HERE / "lexicon.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            name, flags = line[1:].split("]")
            foreign = "foreign" in flags.split()
            told = sum(1 << FLAGS.index(flag) for flag in flags.split() if flag not in ("foreign", "silent"))
            rows.append((name, told, [], [], "silent" not in flags.split()))
        elif line and not line.startswith("#"):
            for cue in filter(None, line.split("|")):
                kind = 2 if cue.startswith("~") else int(foreign)
                cue = cue.removeprefix("~")
                parts = [list(part) if inside else [part] for part, inside in
                         ((m.group(1) or m.group(2), m.group(1)) for m in re.finditer(r"\{([^}]*)\}|([^{]+)", cue))]
                every = ["".join(p) for p in itertools.product(*parts)]
                rows[-1][2].extend(every)
                rows[-1][3].extend([kind] * len(every))
            # The first line of a row is English.
            foreign = True
    return rows


def taught():
    """Label (or none), traits, prompt."""
    every = []
    for line in (HERE / "taught.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            head, text = line.split(":", 1)
            label, *traits = head.split()
            parts = [m.group(1).split(";") if m.group(1) else [m.group(2)] for m in re.finditer(r"\{([^}]*)\}|([^{]+)", text.strip())]
            every += [(None if label == "-" else LABELS.index(label), traits, "".join(p)) for p in itertools.product(*parts)]
    return every


def frames():
    """What people say around a prompt: to train with, and apart."""
    every = {}
    for line in (HERE / "frames.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            every[line.strip("[]")] = so_far = []
        elif line and not line.startswith("#"):
            so_far.append(line)
    return every["taught"], every["apart"]


def framed(frame, prompt):
    return frame.replace("_", prompt.rstrip(". "))


def features(texts, weights=None):
    command = ["cargo", "run", "--quiet", "--release", "--locked", "-p", "context-classifier", "--example", "features", "--"]
    with tempfile.NamedTemporaryFile(suffix=".bin") as file:
        if weights is not None:
            file.write(weights)
            file.flush()
            command.append(file.name)
        done = subprocess.run(command, input="".join(t + "\0" for t in texts).encode(), stdout=subprocess.PIPE, check=True, cwd=HERE)
    return [json.loads(line) for line in done.stdout.splitlines()]


def cues(rows):
    """Hash to row and kind; a cue in two rows belongs to the first, and what is English there is so everywhere."""
    every = [(cue, index, kind) for index, row in enumerate(rows) for cue, kind in zip(row[2], row[3])]
    table = {}
    for (cue, index, kind), (hash_, length) in zip(every, features([cue for cue, _, _ in every])):
        if hash_ == 0:
            raise SystemExit(f"`{cue}` in [{rows[index][0]}] is {length} words: at most two")
        first, so_far = table.get(hash_, (index, kind))
        table[hash_] = (first, min(kind, so_far) if 0 in (kind, so_far) else max(kind, so_far))
    return table


def place(keys):
    """The table's places. Fuller, searches are long; emptier, the sandbox has more memory to clear."""
    for slots in itertools.count(int(len(keys) * TABLE_ROOM)):
        # A prime: every way leads to all places.
        if any(slots % d == 0 for d in range(2, int(slots ** 0.5) + 1)):
            continue
        begin = lambda key: key * slots >> 32
        step = lambda key: 1 + ((key << 13 | key >> 19) & 0xffffffff) * (slots - 1) // (1 << 32)
        placed = [0] * slots
        for key in sorted(keys):
            # Of two keys the greater stays and the smaller goes on, so that a search for what is not there ends early.
            at = begin(key)
            while placed[at]:
                if placed[at] < key:
                    placed[at], key = key, placed[at]
                at = (at + step(key)) % slots
            placed[at] = key
        if all(key in (placed[(begin(key) + n * step(key)) % slots] for n in range(MOST_STEPS)) for key in keys):
            return placed


def pack(rows, table, words, linear):
    """The file that `src/model.rs` reads. `linear`: per output (bias, row weights, word weights by hash, measures)."""
    measures = len(linear[0][3])
    steps = [max(1e-6, np.abs(np.concatenate([rw, list(ww.values()) or [0.0]])).max() / 127) for _, rw, ww, _ in linear]
    small = lambda value, step: int(np.clip(round(value / step), -127, 127))
    keys = {**{h: r | kind << 6 for h, (r, kind) in table.items()}, **{h: NO_ROW for h in words if h not in table}}
    placed = place(keys)
    out = [None] * len(placed)
    for at, key in enumerate(placed):
        if key:
            weights = [small(ww.get(key, 0.0), s) for (_, _, ww, _), s in zip(linear, steps)]
            out[at] = struct.pack("<I7bB", key, *weights, keys[key])
    data = struct.pack("<III", len(placed), len(rows), measures)
    for (bias, _, _, mw), step in zip(linear, steps):
        data += struct.pack(f"<{2 + measures}f", bias, step, *mw)
    for index, (_, flags, *_) in enumerate(rows):
        data += struct.pack("<7bxI", *[small(rw[index], s) for (_, rw, _, _), s in zip(linear, steps)], flags)
    return data + b"".join(slot or bytes(12) for slot in out)


class Corpus:
    def __init__(self, path):
        self.data = list(csv.DictReader(open(path, newline="", encoding="utf-8")))
        self.prompts = [row["prompt"] for row in self.data]
        self.labels = np.array([LABELS.index(row["label"]) for row in self.data])
        self.traits = np.array([[t in row["traits"].split("|") for t in TRAITS] for row in self.data])
        self.groups = [row["group"] for row in self.data]
        self.rows = lexicon()
        self.table = cues(self.rows)
        # No weights, no words: only what the rows are.
        blank = [(0.0, np.zeros(len(self.rows)), {}, [0.0] * MEASURES)] * 7
        self.blank = pack(self.rows, self.table, [], blank)
        self.read = features(self.prompts, self.blank)
        self.taught = taught()
        taught_frames, self.frames_apart = frames()
        rng = random.Random(0)
        self.polite_reads = [features([framed(rng.choice(taught_frames), p) for p in self.prompts], self.blank) for _ in range(DRAWS)]
        # Other mistakes than those that `--evaluate` makes.
        self.typo_reads = [features([typos(p, random.Random(-1 - n - draw * len(self.prompts))) for n, p in enumerate(self.prompts)], self.blank)
                           for draw in range(DRAWS)]
        self.taught_read = features([prompt for _, _, prompt in self.taught], self.blank)

    def matrix(self, reads, words):
        place = {h: i for i, h in enumerate(words)}
        rows = np.array([[r["rows"][i // 64] >> (i % 64) & 1 for i in range(len(self.rows))] for r in reads], float)
        rows *= [row[4] for row in self.rows]
        measures = np.array([r["measures"] for r in reads])
        at = [(n, place[h]) for n, r in enumerate(reads) for h in set(r["words"])
              if h in place and (r["english"] or self.table.get(h, (0, 2))[1] < 2)]
        met = csr_matrix((np.ones(len(at)), tuple(np.array(at).T)), (len(reads), len(words)))
        return hstack([rows * ROW_SCALE, measures * MEASURE_SCALE, met * WORD_SCALE]).tocsr()

    def train(self, which):
        """Weights from these prompts."""
        counts = collections.Counter(h for n in which for h in set(self.read[n]["words"]))
        words = sorted(h for h, c in counts.items() if c >= LEAST_PROMPTS)
        words = sorted(words, key=lambda h: (-counts[h], h))[:MOST_WORDS]
        forms = [self.read, *self.polite_reads, *self.typo_reads]
        x = self.matrix([form[n] for form in forms for n in which] + self.taught_read, words)
        told = [-1 if label is None else label for label, _, _ in self.taught]
        own = np.concatenate([self.labels[which]] * len(forms) + [told])
        shares = [1 - POLITE_SHARE - TYPO_SHARE] + [POLITE_SHARE / DRAWS] * DRAWS + [TYPO_SHARE / DRAWS] * DRAWS + [TAUGHT_WEIGHT]
        share = np.repeat(shares, [len(which)] * len(forms) + [len(self.taught)])
        # Rare labels count for more, by the root of how rare they are: macro-F1 without losing calibration.
        sizes = np.bincount(self.labels[which], minlength=4)
        weight = np.sqrt(sizes.mean() / sizes)
        told = own >= 0
        labels = LogisticRegression(C=STRENGTH["labels"], max_iter=3000)
        labels.fit(x[told], own[told], sample_weight=share[told] * weight[own[told]])
        coefficients, biases = list(labels.coef_), list(labels.intercept_)
        for number, name in enumerate(TRAITS):
            y = np.concatenate([self.traits[which, number]] * len(forms) + [[name in traits for _, traits, _ in self.taught]])
            fit = LogisticRegression(C=STRENGTH[name], max_iter=3000).fit(x, y, sample_weight=share)
            coefficients.append(fit.coef_[0])
            biases.append(fit.intercept_[0])
        r, m = len(self.rows), len(self.read[0]["measures"])
        linear = []
        for bias, c in zip(biases, coefficients):
            ww = {h: v * WORD_SCALE for h, v in zip(words, c[r + m:])}
            linear.append((bias, c[:r] * ROW_SCALE, ww, c[r:r + m] * MEASURE_SCALE))
        strong = [h for h in words if any(abs(l[2][h]) > 0.02 for l in linear)]
        linear = [(b, rw, {h: ww[h] for h in strong}, mw) for b, rw, ww, mw in linear]
        return pack(self.rows, self.table, strong, linear)


TYPOS = {"exchanged": lambda w, at: w[:at] + w[at + 1] + w[at] + w[at + 2:], "lost": lambda w, at: w[:at] + w[at + 1:],
         "doubled": lambda w, at: w[:at] + w[at] + w[at:], "wrong": lambda w, at: w[:at] + "xzqkvwyu"[at % 8] + w[at + 1:]}


def typos(prompt, rng, kinds=("exchanged", "lost", "doubled")):
    """One word in ten has two letters exchanged, one lost or one doubled."""
    words = prompt.split(" ")
    hit = [i for i, w in enumerate(words) if len(w) > 3 and w.isalpha()]
    for i in rng.sample(hit, min(len(hit), max(1, len(words) // 10))):
        at = rng.randrange(1, len(words[i]) - 1)
        words[i] = TYPOS[rng.choice(kinds)](words[i], at)
    return " ".join(words)


def evaluate(corpus, folds=5, seeds=2):
    from sklearn.metrics import confusion_matrix, f1_score
    variants = {"plain": corpus.prompts, "upper": [p.upper() for p in corpus.prompts],
                "typos": [typos(p, random.Random(n)) for n, p in enumerate(corpus.prompts)],
                **{kind: [typos(p, random.Random(n), (kind,)) for n, p in enumerate(corpus.prompts)] for kind in TYPOS},
                **{frame: [framed(frame, p) for p in corpus.prompts] for frame in corpus.frames_apart}}
    for seed in range(seeds):
        out = {name: np.zeros((len(corpus.prompts), 7)) for name in variants}
        split = StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(corpus.prompts, corpus.labels, corpus.groups)
        for fit, held in split:
            weights = corpus.train(fit)
            for name, texts in variants.items():
                out[name][held] = [r["probabilities"] for r in features([texts[n] for n in held], weights)]
        p = out["plain"][:, :4]
        said, sure = p.argmax(1), p.max(1)
        right = said == corpus.labels
        bins = np.minimum((sure * 10).astype(int), 9)
        ece = sum(abs(right[bins == b].mean() - sure[bins == b].mean()) * (bins == b).mean() for b in range(10) if (bins == b).any())
        print(f"seed {seed}: macro-F1 {f1_score(corpus.labels, said, average='macro'):.3f} "
              f"accuracy {right.mean():.3f} calibration error {ece:.3f} bytes {len(weights)}")
        print(confusion_matrix(corpus.labels, said))
        for n, name in enumerate(TRAITS):
            print(f"  {name:9} " + precision_and_recall(out["plain"][:, 4 + n] >= 0.5, corpus.traits[:, n]))
        same = {name: (out[name][:, :4].argmax(1) == said).mean() for name in variants}
        polite = [same[frame] for frame in corpus.frames_apart]
        print(f"  same label, upper: {same['upper']:.3f}, typos: {same['typos']:.3f}, in a frame: {np.mean(polite):.3f}, in the worst one: {min(polite):.3f}")
        print("  same label, with one letter in ten words " + ", ".join(f"{kind}: {same[kind]:.3f}" for kind in TYPOS))


def languages():
    """How the plugin's own weights read `languages.csv`, which they were not trained on."""
    every = list(csv.DictReader((HERE / "languages.csv").open(newline="", encoding="utf-8")))
    weights = (HERE.parent / "src" / "model.bin").read_bytes()
    for number in ("1", "2"):
        rows = [row for row in every if row["round"] == number]
        out = np.array([r["probabilities"] for r in features([row["prompt"] for row in rows], weights)])
        said = [LABELS[at] for at in out[:, :4].argmax(1)]
        wrong = collections.Counter(row["language"] for row, label in zip(rows, said) if label != row["label"])
        print(f"languages.csv, round {number}: {len(rows)} prompts, labels right {1 - wrong.total() / len(rows):.3f}, wrong {dict(wrong)}")
        for n, name in enumerate(TRAITS):
            truth = np.array([name in row["traits"].split("|") for row in rows])
            print(f"  {name:9} " + precision_and_recall(out[:, 4 + n] >= 0.5, truth))


def precision_and_recall(yes, truth):
    return f"precision {(yes & truth).sum() / max(1, yes.sum()):.3f} recall {(yes & truth).sum() / truth.sum():.3f}"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("prompts")
    arguments.add_argument("--evaluate", action="store_true")
    arguments = arguments.parse_args()
    corpus = Corpus(arguments.prompts)
    if arguments.evaluate:
        evaluate(corpus)
        return languages()
    weights = corpus.train(np.arange(len(corpus.prompts)))
    (HERE.parent / "src" / "model.bin").write_bytes(weights)
    print(f"{len(weights)} bytes")


if __name__ == "__main__":
    main()
