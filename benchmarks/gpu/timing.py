"""Times on a device that works behind the back of the program, and what else is measured there."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch

Job = Callable[[], object]


def wait(device: str) -> None:
    """Return when the device has done all that it was given."""
    if device.startswith("cuda"):
        torch.cuda.synchronize(torch.device(device))


def alternate(jobs: Mapping[str, Job], device: str, repeats: int, warm_up: int = 2) -> dict[str, dict[str, Any]]:
    """Wall seconds of each job, all of them in turn `repeats` times: least, median, all."""
    found: dict[str, list[float]] = {name: [] for name in jobs}
    for turn in range(warm_up + repeats):
        for name, job in jobs.items():
            wait(device)
            start = time.perf_counter()
            job()
            wait(device)
            if turn >= warm_up:
                found[name].append(time.perf_counter() - start)
    return {name: {"least": min(each), "median": statistics.median(each), "all": each} for name, each in found.items()}


def peak_gib(device: str) -> float | None:
    """The most memory that torch has held on the card since the start or the last `forget_peak`; None on a CPU."""
    if not device.startswith("cuda"):
        return None
    return float(torch.cuda.max_memory_reserved(torch.device(device)) / 2**30)


def forget_peak(device: str) -> None:
    """Count memory anew."""
    if device.startswith("cuda"):
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(torch.device(device))
