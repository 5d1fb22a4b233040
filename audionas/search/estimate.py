"""Memory and time of a supernet step before the first one: counted on torch's meta device, and timed."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import psutil
import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from audionas.errors import RunError
from audionas.kernels import as_on_card
from audionas.models import Mixing, build_supernet
from audionas.spaces import DartsRecurrentSpace, SearchSpace

OVERHEAD = 1.35  # measured: peak resident memory of a step over the tensors saved for backward
FIXED_BYTES = 600 * 2**20  # measured: interpreter, torch, NNI and Lightning


class _Saved:
    """Storages that autograd keeps, each once."""

    def __init__(self) -> None:
        self._storages: dict[int, torch.UntypedStorage] = {}

    def note(self, tensor: Tensor) -> Tensor:
        """One more; given back as it is."""
        storage = tensor.untyped_storage()
        self._storages[id(storage)] = storage
        return tensor

    def noting(self) -> AbstractContextManager[object]:
        """Within: what autograd saves is noted here."""
        return torch.autograd.graph.saved_tensors_hooks(self.note, lambda saved: saved)

    @property
    def n_bytes(self) -> int:
        """Of all of them."""
        return sum(storage.nbytes() for storage in self._storages.values())


def saved_bytes_per_clip(
    space: SearchSpace,
    input_shape: tuple[int, int, int],
    n_outputs: int,
    mixing: Mixing | None = None,
    *,
    recomputes: bool = False,
) -> int:
    """Bytes that autograd keeps a clip for the backward pass; nothing is computed.

    With `recomputes` those that are kept all the time, and of the part that takes most what is computed again and its
    gradients, which are as many and there at the same time.
    """
    kept, largest = _Saved(), 0

    def run(work: Callable[..., Any], *arguments: Any, **_of: nn.Module) -> Any:
        nonlocal largest
        own = _Saved()
        with own.noting():
            found = work(*arguments)
        for tensor in tree_leaves((arguments, found)):
            if isinstance(tensor, Tensor):
                kept.note(tensor)
        largest = max(largest, own.n_bytes)
        return found

    with torch.device("meta"):
        network = build_supernet(space, input_shape, n_outputs, mixing)
        if recomputes:
            network.recomputes, network.run = True, run  # type: ignore[method-assign]
        x = torch.empty((2, *input_shape))
        with kept.noting():
            network(x)
    return (kept.n_bytes + 2 * largest) // 2


def check_memory(
    space: SearchSpace,
    input_shape: tuple[int, int, int],
    n_outputs: int,
    batch_size: int,
    device: str,
    mixing: Mixing | None = None,
    *,
    recomputes: bool = False,
) -> int:
    """Estimated bytes of a search.

    Raises:
        RunError: more than is free; names the largest batch that fits, and what else would help.
    """

    def bytes_per_clip(recomputes: bool) -> float:
        with nullcontext() if device == "cpu" else as_on_card():
            return saved_bytes_per_clip(space, input_shape, n_outputs, mixing, recomputes=recomputes) * OVERHEAD

    each = bytes_per_clip(recomputes)
    needed = int(FIXED_BYTES + each * batch_size)
    if device == "cpu":
        free = psutil.virtual_memory().available
    else:
        free = torch.cuda.mem_get_info(torch.device(device))[0]
    if needed > free:
        largest = int((free - FIXED_BYTES) // each)
        fewer = 0 if recomputes else min(batch_size, int((free - FIXED_BYTES) // bytes_per_clip(True)))
        ways = [f"the largest that fits is --batch-size {largest}"] if largest >= 2 else []
        if fewer > max(largest, 1):
            ways.append(f"--recompute keeps less and takes longer, with it a batch of {fewer} fits")
        advice = "; ".join(ways) or "no batch fits; use a smaller space"
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
    *,
    recomputes: bool = False,
) -> float:
    """Time of one step (bi-level: two forward and backward passes), from a probe on noise.

    Large inputs are probed with two clips and scaled up; recurrent cells are not, as frames cost more than clips.
    """
    is_small = input_shape[1] * input_shape[2] <= 4096 or isinstance(space, DartsRecurrentSpace)
    probe = batch_size if is_small else 2
    state = torch.random.get_rng_state()
    network = build_supernet(space, input_shape, n_outputs, mixing)
    network.recomputes = recomputes
    x = torch.randn((probe, *input_shape))
    times = []
    for _ in range(2):
        started = clock()
        network(x).sum().backward()
        times.append(clock() - started)
    torch.random.set_rng_state(state)
    return passes * min(times) * batch_size / probe
