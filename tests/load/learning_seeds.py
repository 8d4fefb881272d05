#!/usr/bin/env python3
"""What `bandit` learns, beside `hybrid`, over many seeds: priors wrong, priors right, and a model that changes.

Needs the binary: cargo build --release -p muxel

    tests/load/learning_seeds.py [seeds, 20] [first seed, 1]
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 20
FIRST = int(sys.argv[2]) if len(sys.argv) > 2 else 1
MUXEL = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", "target"), "release", "muxel").resolve()
WORKLOADS = pathlib.Path(__file__).resolve().parents[2] / "examples" / "workloads"


def run(workload: str, seed: int) -> dict:
    """The truth of each strategy."""
    command = [MUXEL, "eval", "simulate", "--json", "--workload", WORKLOADS / workload, "--seed", str(seed)]
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


def main() -> None:
    seeds = range(FIRST, FIRST + COUNT)
    told("priors wrong: bandit beyond hybrid, %", [beyond(run("priors-wrong.toml", seed)) for seed in seeds], 0)
    told("priors right: bandit beyond hybrid, %", [beyond(run("priors-right.toml", seed)) for seed in seeds], -2)
    shifts = [run("shift.toml", seed) for seed in seeds]
    for name in ("bandit", "hybrid"):
        for first, last in ((0, 500), (500, 1000), (1000, 2500)):
            shares = [of_oracle(truth, name, 2500 + first, 2500 + last) for truth in shifts]
            told(f"shift, requests {first} to {last} after it: {name}, % of the oracle", shares, 95)


if __name__ == "__main__":
    main()
