"""What other models make of the traits: whether more could be had from the marks of the collections than the plugin has.

    python ceiling.py labelled.csv

Folds keep a `group` together, two shuffles. Thresholds are chosen on the prompts they are scored on, and some models are
told which collection a prompt is from: both flatter them. `labelled.csv` is that of `train.py`, with a column `source`.
"""

import argparse

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_curve
from sklearn.model_selection import StratifiedGroupKFold

from train import TRAITS, Corpus


def cues(corpus, fit, held):
    """What the plugin reads, and every word and pair of words that was met three times."""
    hashes, counts = np.unique([h for n in fit for h in set(corpus.read[n]["words"])], return_counts=True)
    words = hashes[counts >= 3].tolist()
    return [corpus.matrix([corpus.read[n] for n in which], words) for which in (fit, held)]


def letters(corpus, fit, held):
    texts = [[corpus.prompts[n] for n in which] for which in (fit, held)]
    every = [TfidfVectorizer(ngram_range=(1, 3), min_df=2, sublinear_tf=True),
             TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=3, sublinear_tf=True)]
    for one in every:
        one.fit(texts[0])
    return [hstack([one.transform(of) for one in every]).tocsr() for of in texts]


def collection(corpus, fit, held):
    sources = np.array([row["source"] for row in corpus.data])
    told = csr_matrix((sources[:, None] == np.unique(sources)).astype(float))
    return [told[fit], told[held]]


def linear(known, truth, asked):
    return LogisticRegression(C=1, max_iter=3000, class_weight="balanced").fit(known, truth).predict_proba(asked)[:, 1]


def trees(known, truth, asked):
    narrow = TruncatedSVD(80, random_state=0).fit(known)
    fit = HistGradientBoostingClassifier(max_iter=150, learning_rate=0.06, random_state=0).fit(narrow.transform(known), truth)
    return fit.predict_proba(narrow.transform(asked))[:, 1]


MODELS = {"words and letters": (linear, [letters]), "cues": (linear, [cues]), "cues and collection": (linear, [cues, collection]),
          "all": (linear, [cues, letters, collection]), "all, boosted trees": (trees, [cues, letters, collection])}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("prompts")
    corpus = Corpus(arguments.parse_args().prompts)
    for number, trait in enumerate(TRAITS):
        truth = corpus.traits[:, number]
        for name, (model, readers) in MODELS.items():
            scores = []
            for seed in range(2):
                likely = np.zeros(len(truth))
                for fit, held in StratifiedGroupKFold(5, shuffle=True, random_state=seed).split(corpus.prompts, truth, corpus.groups):
                    known, asked = (hstack(parts).tocsr() for parts in zip(*(read(corpus, fit, held) for read in readers)))
                    likely[held] = model(known, truth[fit], asked)
                precision, recall, _ = precision_recall_curve(truth, likely)
                f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
                scores.append((f1.max(), precision[recall >= 0.9].max(), recall[precision >= 0.9].max()))
            best, precise, found = np.mean(scores, axis=0)
            print(f"{trait:9} {name:20} best F1 {best:.2f}  precision where recall is 0.9: {precise:.2f}  recall where precision is 0.9: {found:.2f}", flush=True)


if __name__ == "__main__":
    main()
