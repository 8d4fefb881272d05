#!/usr/bin/env python3
"""What `bandit` learns, beside `hybrid`, over many seeds: priors wrong, priors right, and a model that changes.

First beside a `hybrid` that learns nothing, then as in a gateway, whose expectations follow the same ratings for both.

Needs the binary: cargo build --release -p muxel

    tests/load/learning_seeds.py [seeds, 20] [first seed, 1]
    tests/load/learning_seeds.py --random [seeds, 20] [first seed, 1]    # workloads that nobody chose, one for each seed
"""

import json
import math
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile

NUMBERS = [int(word) for word in sys.argv[1:] if word != "--random"]
COUNT, FIRST = [*NUMBERS, *(20, 1)[len(NUMBERS):]]
MUXEL = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", "target"), "release", "muxel").resolve()
WORKLOADS = pathlib.Path(__file__).resolve().parents[2] / "examples" / "workloads"


def run(workload: pathlib.Path, seed: int) -> dict:
    """The truth of each strategy."""
    command = [MUXEL, "eval", "simulate", "--json", "--workload", workload, "--seed", str(seed)]
    done = subprocess.run([*command, "--strategy", "hybrid", "bandit"], stdout=subprocess.PIPE, check=True)
    return {strategy["name"]: strategy["truth"] for strategy in json.loads(done.stdout)["strategies"]}


def beyond(truth: dict) -> float:
    """Per cent of `hybrid`'s value that `bandit` has more."""
    return 100 * (truth["bandit"]["value"] / truth["hybrid"]["value"] - 1)


def of_oracle(truth: dict, name: str, first: int, last: int) -> float:
    """Per cent of the oracle's value in requests `first` to `last`: in the stretches that have their middle there."""
    blocks = [block for block in truth[name]["curve"] if first <= block["after"] + block["requests"] / 2 < last]
    value = sum(block["value"] * block["requests"] for block in blocks)
    missing = sum(block["regret"] * block["requests"] for block in blocks)
    return 100 * value / (value + missing)


def told(what: str, values: list[float], enough: float) -> None:
    reached = sum(value >= enough for value in values)
    print(f"{what:58} mean {statistics.mean(values):6.2f}  least {min(values):6.2f}  most {max(values):6.2f}"
          f"  at least {enough:g} in {reached} of {len(values)}", flush=True)


def drawn(kind: str, seed: int) -> str:
    """A workload of 3 to 12 models, two decades of prices, and callers who rate often or hardly ever."""
    draw = random.Random(f"{kind} {seed}")
    models, truth, shifted = [], ["[truth]"], ["[[shifts]]", "after-requests = 2500", "[shifts.truth]"]
    for index in range(draw.randint(3, 12)):
        price, p50 = 0.004 * 10 ** draw.uniform(0, 2), draw.randint(2_000, 20_000)
        # What is dear is often good, too.
        expected = min(max(draw.gauss(0.5, 0.1) + 0.06 * math.log2(price / 0.02), 0.2), 0.9)
        other = min(max(expected + draw.choice([-1, 1]) * draw.uniform(0.05, 0.35), 0.05), 0.95)
        (truth if kind == "wrong" else shifted).append(f'"p{index}/m" = {other:.3f}')
        models.append(f"""
[providers.p{index}]
[[providers.p{index}.models]]
name = "m"
price.per-image = "{price:.4f} USD"
quality = {{ mean = {expected:.3f}, deviation = {draw.uniform(0.04, 0.2):.3f} }}
latency = {{ p50 = "{p50}ms", p95 = "{p50 * draw.uniform(1.5, 2.5):.0f}ms" }}""")
    share, noise, delay = 20 ** draw.uniform(-1, 0), draw.uniform(0.1, 0.35), draw.choice([10, 60, 600, 1800])
    feedback = ["[feedback]", f"share = {share:.3f}", f"noise = {noise:.3f}", f'delay = "{delay}s"']
    written = (WORKLOADS / ("shift.toml" if kind == "shift" else "priors-right.toml")).read_text()
    head = written.split("# Three deliveries")[0]
    return "\n".join([head, *feedback, *truth, *(shifted if kind == "shift" else []), *models])


def at_random(seeds: range) -> None:
    truths = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("wrong", "right", "shift"):
            for seed in seeds:
                file = pathlib.Path(folder, f"{kind}-{seed}.toml")
                file.write_text(drawn(kind, seed))
                truths.setdefault(kind, []).append(run(file, seed))
    told("drawn, priors wrong: bandit beyond hybrid, %", [beyond(truth) for truth in truths["wrong"]], 0)
    told("drawn, priors right: bandit beyond hybrid, %", [beyond(truth) for truth in truths["right"]], -2)
    for name in ("bandit", "hybrid"):
        shares = [of_oracle(truth, name, 3000, 3500) for truth in truths["shift"]]
        told(f"drawn, shift, requests 500 to 1000 after it: {name}, %", shares, 95)


def learned(folder: pathlib.Path) -> None:
    seeds = range(FIRST, FIRST + COUNT)
    for what, enough in (("wrong", 0), ("right", -2)):
        values = [beyond(run(folder / f"priors-{what}.toml", seed)) for seed in seeds]
        told(f"priors {what}: bandit beyond hybrid, %", values, enough)
    shifts = [run(folder / "shift.toml", seed) for seed in seeds]
    for name in ("bandit", "hybrid"):
        for first, last in ((0, 500), (500, 1000), (1000, 2500)):
            shares = [of_oracle(truth, name, 2500 + first, 2500 + last) for truth in shifts]
            told(f"shift, requests {first} to {last} after it: {name}, % of the oracle", shares, 95)


def main() -> None:
    if "--random" in sys.argv:
        return at_random(range(FIRST, FIRST + COUNT))
    learned(WORKLOADS)
    print("\nwith the gateway's own learner:")
    with tempfile.TemporaryDirectory() as folder:
        for workload in WORKLOADS.glob("*.toml"):
            text = workload.read_text().replace("[feedback]\n", "[feedback]\nquality = true\n")
            pathlib.Path(folder, workload.name).write_text(text)
        learned(pathlib.Path(folder))


if __name__ == "__main__":
    main()
