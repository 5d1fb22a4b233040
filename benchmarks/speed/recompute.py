"""A DARTS step that keeps everything for its backward passes, against one that computes cells again (`--recompute`).

    PYTHONPATH=. OMP_NUM_THREADS=1 python benchmarks/speed/recompute.py [--repeats 3] [--turns 3]

Each network and way has a process of its own, for its largest memory; processes take turns. `memory_mib` is what the
largest memory of a process grew by from before its first step. Processor time, one thread.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from typing import Any

import torch
from paired import keep, ready
from supernet import CLASSES, Job

from audionas.kernels import kernel_path, use_kernels
from audionas.models import build_supernet
from audionas.process_memory import keep_freed_memory
from audionas.spaces import load_search_space

WAYS = ("kept", "recomputed")
CASES = {  # space, input, batch, values of the macro
    "3 cells of 6 channels": ("darts_cnn", (1, 140, 140), 8, {}),
    "8 cells of 6 channels": ("darts_cnn", (1, 140, 140), 8, {"n_cells": 8}),
    "recurrent, 300 frames": ("darts_rnn", (1, 64, 300), 16, {}),
}


def steps(name: str, way: str, repeats: int) -> dict[str, float]:
    """Processor seconds of a step, and the memory that steps took."""
    use_kernels(None, lambda line: print(line, file=sys.stderr))
    keep_freed_memory()
    space_name, shape, batch, changes = CASES[name]
    space = load_search_space(space_name)
    assert space.macro is not None
    space = space.model_copy(update={"macro": space.macro.model_copy(update=changes)})
    network = build_supernet(space, shape, CLASSES)
    network.recomputes = way == "recomputed"
    job = Job(network, network.arch_parameters(), 1, 2)
    job.parts = [(torch.randn(batch, *shape), torch.arange(batch) % CLASSES) for _ in range(2)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    job.step()
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        job.step()
        seconds.append(time.process_time() - start)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"step_s": statistics.median(seconds), "memory_mib": grown / 1024}


def in_own_process(name: str, way: str, repeats: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--in-process", name, way, "--repeats", str(repeats)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--in-process", nargs=2, metavar=("CASE", "WAY"))
    given = parser.parse_args()
    ready()
    if given.in_process:
        name, way = given.in_process
        print(json.dumps(steps(name, way, given.repeats)))
        return
    found: dict[str, Any] = {}
    for name in CASES:
        turns = [{way: in_own_process(name, way, given.repeats) for way in WAYS} for _ in range(given.turns)]
        each = {
            way: {key: statistics.median(turn[way][key] for turn in turns) for key in turns[0][way]} for way in WAYS
        }
        ratios = {key: each["recomputed"][key] / each["kept"][key] for key in each["kept"]}
        found[name] = each | {"recomputed / kept": ratios}
        print(name, found[name], flush=True)
    cases = {
        name: {"space": case[0], "input": case[1], "batch": case[2], "macro": case[3]} for name, case in CASES.items()
    }
    print(keep("recompute", {"kernel_path": kernel_path(), "cases": cases, "threads": 1, "networks": found}))


if __name__ == "__main__":
    main()
