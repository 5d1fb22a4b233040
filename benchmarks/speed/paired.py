"""Times of several ways to do the same job, taken in turn within one process, and the record that is kept of them."""

from __future__ import annotations

import shlex
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from audionas.experiment.machine import machine, versions
from audionas.records import write_json

RESULTS = Path(__file__).parent.parent / "results" / "speed"


def alternate(jobs: Mapping[str, Callable[[], object]], repeats: int, warm_up: int = 1) -> dict[str, dict[str, Any]]:
    """Seconds of each job, all of them in turn `repeats` times: wall, and of this process on the processor.

    Each summary is the least and the median; `ratio` of job a over job b is best read from the medians of one run.
    """
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in jobs}
    for turn in range(warm_up + repeats):
        for name, job in jobs.items():
            wall, cpu = time.perf_counter(), time.process_time()
            job()
            spent = time.perf_counter() - wall, time.process_time() - cpu
            if turn >= warm_up:
                found[name].append(spent)
    return {name: _summary(each) for name, each in found.items()}


def _summary(spent: list[tuple[float, float]]) -> dict[str, Any]:
    walls, cpus = zip(*spent, strict=True)
    return {
        "wall_s": {"least": min(walls), "median": statistics.median(walls), "all": list(walls)},
        "cpu_s": {"least": min(cpus), "median": statistics.median(cpus), "all": list(cpus)},
    }


def ratio(times: Mapping[str, Any], slow: str, fast: str, clock: str = "cpu_s") -> float:
    """How many times the median of one job's times is that of another's."""
    return float(times[slow][clock]["median"] / times[fast][clock]["median"])


def ready(threads: int = 1) -> None:
    """One thread, denormals flushed, a fixed seed: as in a run."""
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(0)


def keep(name: str, result: Mapping[str, Any]) -> Path:
    """Write a result beside its command, the machine and the versions."""
    path = RESULTS / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    command = f"PYTHONPATH=. python {shlex.join(sys.argv)}"
    write_json(path, {"command": command, "machine": machine(), "versions": versions(), **result})
    return path
