"""Everything that is measured on a GPU, in one command: under nine minutes, with --quick under three.

    PYTHONPATH=. python benchmarks/gpu/run.py [--quick] [--only search,recipes] [--device cuda] [--out FILE]

Each part runs in a process of its own, so that one that fails or runs out of time costs no other; its result is
written at once, with command, versions and machine. Data are made up on the spot: these are times and sizes, no scores.
With `--device cpu --tiny` every part runs at toy sizes without a card, to see that it runs at all.
`prepare.py` collects what a machine without network lacks.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from audionas.errors import SettingsError
from audionas.experiment.machine import machine, versions
from audionas.records import write_json
from audionas.training.devices import gpu_index

Result = dict[str, Any]
FULL: Result = {
    "clips": 2280, "length_s": 2.0, "image": 140, "batch": 64, "epochs": 50, "reference_epochs": 3, "repeats": 5,
    "small_batch": 8, "small_image": 36, "large_channels": 16, "large_cells": 8,
    "frames": 727, "inputs": 512, "hidden": 256, "layers": 2, "recipe_batch": 32, "seeds": 20,
    "catalogue_recipes": 24, "catalogue_clips": 1824, "catalogue_epochs": 2, "catalogue_s": 90,
}  # fmt: skip
QUICK = FULL | {
    "epochs": 10,
    "reference_epochs": 2,
    "seeds": 4,
    "catalogue_recipes": 4,
    "catalogue_epochs": 1,
    "catalogue_s": 15,
}
TINY = FULL | {
    "clips": 40, "length_s": 0.5, "image": 20, "batch": 4, "epochs": 2, "reference_epochs": 1, "repeats": 1,
    "small_batch": 4, "small_image": 12, "large_channels": 4, "large_cells": 3,
    "frames": 6, "inputs": 5, "hidden": 4, "layers": 1, "recipe_batch": 3, "seeds": 2,
    "catalogue_recipes": 2, "catalogue_clips": 8, "catalogue_epochs": 1,
}  # fmt: skip
RESULTS = Path(__file__).parent.parent / "results" / "gpu"


def parts() -> dict[str, tuple[Callable[[str, Path, Result], Result], str, float, float]]:
    """Of each part what runs it, what is aimed at, and the most seconds that it may take, whole and quick."""
    import recipes
    import retraining
    import searching

    return {
        "search": (searching.whole_search, "ours <= 60 s, reference / ours >= 5, peak <= 12 GiB", 120, 40),
        "other_ways": (searching.other_ways, "bfloat16: the alphas of float32, faster; recomputed: the same", 40, 20),
        "second_order": (searching.second_order, "<= 1.15", 30, 15),
        "agreement": (searching.agreement, "<= 0.001", 20, 15),
        "large_supernet": (searching.memory_of_a_large_supernet, "recomputed <= 40 GiB", 20, 15),
        "recipes": (recipes.random_recipes, "plain / recipe >= 10, recipe / lstm <= 1.5, each", 110, 30),
        "catalogue": (recipes.catalogue, "<= 2 h extrapolated, busy > 80 %", 110, 30),
        "retraining": (retraining.five_folds, "<= 60 s", 90, 30),
    }


def in_own_process(name: str, given: argparse.Namespace, work: Path, limit_s: float) -> Result:
    """One part's result, or why there is none."""
    size = "--tiny" if given.tiny else "--quick" if given.quick else "--full"
    command = [sys.executable, __file__, "--part", name, "--device", given.device, "--work", str(work), size]
    started = time.perf_counter()
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit_s)
    except subprocess.TimeoutExpired:
        return {"failed": f"took more than {limit_s:.0f} s"}
    seconds = round(time.perf_counter() - started, 1)
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-8:], "wall_s_of_the_part": seconds}
    return {**json.loads(done.stdout.splitlines()[-1]), "wall_s_of_the_part": seconds}


def told(result: Result, depth: int = 0) -> str:
    """A result in one line, without lists of single times."""
    if depth > 2:
        return "..."
    short = {key: value for key, value in result.items() if key not in ("all", "least")}
    words = [
        f"{key} {told(value, depth + 1) if isinstance(value, dict) else _number(value)}" for key, value in short.items()
    ]
    return f"({', '.join(words)})" if depth else ", ".join(words)


def _number(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def main() -> None:
    """Run the parts and keep what they found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sizes = parser.add_mutually_exclusive_group()
    for name in ("full", "quick", "tiny"):
        sizes.add_argument(f"--{name}", action="store_true")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--only", default="", help="names of parts, separated by commas")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--limit", type=float, help="most seconds of each part, in place of its own")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    chosen = TINY if given.tiny else QUICK if given.quick else FULL
    if given.part:
        print(json.dumps(parts()[given.part][0](given.device, given.work, chosen)))
        return
    try:
        gpu_index(given.device)
    except SettingsError as why:
        sys.exit(str(why))
    names = given.only.split(",") if given.only else list(parts())
    out = given.out or RESULTS / ("quick.json" if given.quick else "tiny.json" if given.tiny else "whole.json")
    record: Result = {
        "command": f"PYTHONPATH=. python {' '.join(sys.argv)}", "date": time.strftime("%Y-%m-%d"), "sizes": chosen,
        "machine": machine(given.device), "versions": versions(), "parts": {},
    }  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="audionas-gpu-") as work:
        for name in names:
            _, aim, whole_s, quick_s = parts()[name]
            limit_s = given.limit or (quick_s if given.quick else whole_s)
            record["parts"][name] = {"aim": aim} | in_own_process(name, given, Path(work), limit_s)
            write_json(out, record)
            print(f"{name}: {told(record['parts'][name])}", flush=True)
    print(out)


if __name__ == "__main__":
    main()
