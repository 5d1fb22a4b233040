"""Training steps of hand-made systems and of the supernet, with freed memory kept by the process and without.

    PYTHONPATH=. OMP_NUM_THREADS=1 python benchmarks/speed/freed_memory.py [--repeats 7]

Each network and setting has a process of its own, since malloc can't be set back; processes take turns. Steps are of 16
inputs of the system's size, one thread. `page_faults` are those of a step, `peak_mib` the process's largest memory.
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
from torch.nn import functional

from audionas.kernels import use_kernels
from audionas.models import build_model
from audionas.models.baselines import named_baseline
from audionas.process_memory import keep_freed_memory

BATCH, CLASSES = 16, 4
INPUTS = {
    "attention_pooling_cnn": (1, 400, 200),
    "resnet18_slim_16": (1, 140, 140),
    "plain_cnn": (1, 140, 140),
    "lstm": (1, 128, 300),
    "supernet": (1, 140, 140),
}


def steps(name: str, repeats: int) -> dict[str, Any]:
    """Processor seconds of one training step, and what it takes of memory."""
    use_kernels(None, lambda line: print(line, file=sys.stderr))
    if name == "supernet":
        from supernet import ours

        step = ours(BATCH, 140, 6, 3).step
    else:
        network = build_model(named_baseline(name, {}), input_shape=INPUTS[name], n_classes=CLASSES)
        optimiser = torch.optim.SGD(network.parameters(), 0.01)
        x, y = torch.randn(BATCH, *INPUTS[name]), torch.arange(BATCH) % CLASSES

        def step() -> None:
            optimiser.zero_grad()
            functional.cross_entropy(network(x), y).backward()  # type: ignore[no-untyped-call]
            optimiser.step()

    step()
    step()
    seconds, faults = [], resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(repeats):
        start = time.process_time()
        step()
        seconds.append(time.process_time() - start)
    used = resource.getrusage(resource.RUSAGE_SELF)
    per_step = (used.ru_minflt - faults) / repeats
    return {"step_s": statistics.median(seconds), "page_faults": per_step, "peak_mib": used.ru_maxrss / 1024}


def in_own_process(name: str, setting: str, repeats: int) -> dict[str, Any]:
    command = [sys.executable, __file__, "--in-process", name, setting, "--repeats", str(repeats)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--in-process", nargs=2, metavar=("NETWORK", "SETTING"), help="kept or given_back")
    given = parser.parse_args()
    ready()
    if given.in_process:
        name, setting = given.in_process
        if setting == "kept" and not keep_freed_memory():
            sys.exit("malloc can't be told here to keep memory")
        print(json.dumps(steps(name, given.repeats)))
        return
    found: dict[str, Any] = {}
    for name in INPUTS:
        turns = [
            {setting: in_own_process(name, setting, given.repeats) for setting in ("given_back", "kept")}
            for _ in range(given.turns)
        ]
        each = {
            setting: {key: statistics.median(turn[setting][key] for turn in turns) for key in turns[0][setting]}
            for setting in turns[0]
        }
        found[name] = each | {"given_back / kept": each["given_back"]["step_s"] / each["kept"]["step_s"]}
        print(name, found[name], flush=True)
    print(keep("freed_memory", {"batch": BATCH, "inputs": INPUTS, "threads": 1, "networks": found}))


if __name__ == "__main__":
    main()
