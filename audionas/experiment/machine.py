"""The machine that a run works on: versions, processor, threads."""

from __future__ import annotations

import math
import os
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from audionas import __version__
from audionas.errors import SettingsError
from audionas.process_memory import keep_freed_memory
from audionas.seeding import flush_denormals

SMALL_INPUT = 4096  # values a clip, e.g. 64 x 64
_PACKAGES = ("torch", "pytorch-lightning", "nni", "numpy", "librosa", "soundfile", "scikit-learn")


def versions() -> dict[str, str]:
    """Versions of audionas, Python and the packages that numbers depend on."""
    found = {"audionas": __version__, "python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def machine(device: str = "cpu") -> dict[str, Any]:
    """Processor, cores and memory, as far as the system tells; with the GPU where a run computes on one."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    gib = round(psutil.virtual_memory().total / 2**30, 1)
    found = {"processor": model, "cores": os.cpu_count(), "memory_gib": gib, "system": sys.platform}
    return found | ({"gpu": gpu(device)} if device.startswith("cuda") else {})


def gpu(device: str) -> dict[str, Any]:
    """Name and memory of a GPU, and the CUDA that torch was built with."""
    import torch

    found = torch.cuda.get_device_properties(device)
    return {"name": found.name, "memory_gib": round(found.total_memory / 2**30, 1), "cuda": torch.version.cuda}


def thread_count(asked: int | None, input_shape: Sequence[int], kind: str = "cnn_cell") -> int:
    """CPU threads of a run: those asked for, else one for small inputs and torch's choice for large ones.

    On small feature maps threads mostly wait for each other, and on a shared machine they wait long. A recurrent
    network (any other `kind`) works on one frame at a time, which is always small.

    Raises:
        SettingsError: fewer than 1 were asked for.
    """
    import torch

    if asked is None:
        is_small = not kind.startswith("cnn_") or math.prod(input_shape) <= SMALL_INPUT
        return 1 if is_small else int(torch.get_num_threads())
    if asked < 1:
        raise SettingsError(f"--threads: got {asked}, must be 1 or more")
    return asked


def use_threads(n_threads: int) -> None:
    """Let torch use so many threads, with denormals flushed (they make vanishing gradients 10x slower).

    Freed memory stays with the process, see `audionas.process_memory`.
    """
    import torch

    flush_denormals()
    keep_freed_memory()
    torch.set_num_threads(n_threads)
