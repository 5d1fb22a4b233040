"""Memory and time of a supernet step before the first one: counted on torch's meta device, and timed."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext

import psutil
import torch
from torch import Tensor

from audionas.errors import RunError
from audionas.kernels import torch_only
from audionas.models import Mixing, build_supernet
from audionas.spaces import DartsRecurrentSpace, SearchSpace

OVERHEAD = 1.35  # measured: peak resident memory of a step over the tensors saved for backward
FIXED_BYTES = 600 * 2**20  # measured: interpreter, torch, NNI and Lightning


def saved_bytes_per_clip(
    space: SearchSpace, input_shape: tuple[int, int, int], n_outputs: int, mixing: Mixing | None = None
) -> int:
    """Bytes that autograd keeps a clip for the backward pass; nothing is computed."""
    with torch.device("meta"):
        network = build_supernet(space, input_shape, n_outputs, mixing)
        x = torch.empty((2, *input_shape))
        storages: dict[int, int] = {}

        def note(saved: Tensor) -> Tensor:
            storages[id(saved.untyped_storage())] = saved.untyped_storage().nbytes()
            kept.append(saved)
            return saved

        kept: list[Tensor] = []
        with torch.autograd.graph.saved_tensors_hooks(note, lambda saved: saved):
            network(x)
    return sum(storages.values()) // 2


def check_memory(
    space: SearchSpace,
    input_shape: tuple[int, int, int],
    n_outputs: int,
    batch_size: int,
    device: str,
    mixing: Mixing | None = None,
) -> int:
    """Estimated bytes of a search.

    Raises:
        RunError: more than is free; names the largest batch that fits.
    """
    with nullcontext() if device == "cpu" else torch_only():
        each = saved_bytes_per_clip(space, input_shape, n_outputs, mixing) * OVERHEAD
    needed = int(FIXED_BYTES + each * batch_size)
    if device == "cpu":
        free = psutil.virtual_memory().available
    else:
        free = torch.cuda.mem_get_info(torch.device(device))[0]
    if needed > free:
        largest = int((free - FIXED_BYTES) // each)
        advice = (
            f"the largest that fits is --batch-size {largest}" if largest >= 2 else "no batch fits; use a smaller space"
        )
        raise RunError(
            f"a batch of {batch_size} needs about {needed / 2**30:.1f} GiB, {free / 2**30:.1f} GiB are free; {advice}"
        )
    return needed


def seconds_per_step(
    space: SearchSpace,
    input_shape: tuple[int, int, int],
    n_outputs: int,
    batch_size: int,
    clock: Callable[[], float] = time.perf_counter,
    mixing: Mixing | None = None,
    passes: int = 2,
) -> float:
    """Time of one step (bi-level: two forward and backward passes), from a probe on noise.

    Large inputs are probed with two clips and scaled up; recurrent cells are not, as frames cost more than clips.
    """
    is_small = input_shape[1] * input_shape[2] <= 4096 or isinstance(space, DartsRecurrentSpace)
    probe = batch_size if is_small else 2
    state = torch.random.get_rng_state()
    network = build_supernet(space, input_shape, n_outputs, mixing)
    x = torch.randn((probe, *input_shape))
    times = []
    for _ in range(2):
        started = clock()
        network(x).sum().backward()
        times.append(clock() - started)
    torch.random.set_rng_state(state)
    return passes * min(times) * batch_size / probe
