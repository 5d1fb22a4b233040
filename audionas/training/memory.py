"""What a training does when its GPU has no memory left: the same step again, with less of it at a time.

In order, as far as it is needed:

    activations_on_host  what the backward pass needs lies in the host's memory; the same numbers, slower. Of networks
                         with batch norm, whose statistics parts of a batch would change.
    micro_batch          so many clips at a time. The logits of all parts make one loss, whose gradient goes back
                         through each part: the same numbers but for other draws of dropout, whatever the loss is; batch
                         norm has the statistics of the parts.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

logger = logging.getLogger(__name__)
_ALLOCATION = ("CUDA out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")


def can_run_out(device: torch.device) -> bool:
    """Whether running out of memory can be told and mended on a device."""
    return device.type == "cuda"


def is_out_of_memory(why: BaseException) -> bool:
    """Whether an error says that a GPU has no memory left; the libraries of CUDA say so in words only."""
    if isinstance(why, torch.OutOfMemoryError):
        return True
    return isinstance(why, RuntimeError) and any(text in str(why) for text in _ALLOCATION)


@dataclass(frozen=True)
class Economy:
    """How a training saves memory; by default not at all. `micro_batch`: clips at a time, 0 for all."""

    activations_on_host: bool = False
    micro_batch: int = 0

    @staticmethod
    def of_record(record: Mapping[str, Any]) -> Economy:
        """That of an epoch in the history."""
        return Economy(bool(record.get("activations_on_host")), int(record.get("micro_batch", 0)))

    def as_record(self) -> dict[str, int]:
        """What the history says of it: nothing where nothing is saved."""
        found = {"activations_on_host": int(self.activations_on_host), "micro_batch": self.micro_batch}
        return {name: value for name, value in found.items() if value}

    def further(self, n_clips: int, *, has_batch_norm: bool) -> Economy | None:
        """The next remedy for a batch of so many clips; None where there is none left."""
        if has_batch_norm and not self.activations_on_host:
            return Economy(True, self.micro_batch)
        smallest = 2 if has_batch_norm else 1  # batch norm needs two
        size = self.micro_batch or n_clips
        if size <= smallest:
            return None
        return Economy(self.activations_on_host, max(smallest, -(-min(size, n_clips) // 2)))

    def n_parts(self, n_clips: int, *, has_batch_norm: bool) -> int:
        """Parts of a batch, as even as can be; with batch norm none of a single clip."""
        if not self.micro_batch:
            return 1
        n = -(-n_clips // self.micro_batch)
        return max(1, min(n, n_clips // 2)) if has_batch_norm else n

    def text(self, *, has_batch_norm: bool) -> str:
        """One line for people."""
        if not self.micro_batch:
            return (
                "out of memory on the device: from here on activations are kept in the host's memory "
                "(the same result, slower)"
            )
        same = "batch norm has their statistics" if has_batch_norm else "the same loss of the whole batch"
        return (
            f"out of memory on the device: from here on {self.micro_batch} clips are computed at a time ({same}, "
            "slower)"
        )


def has_batch_norm(network: nn.Module) -> bool:
    """Whether a network takes statistics of its batches."""
    return any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in network.modules())


@cache
def tell_once(line: str) -> None:
    """Warn of it, once a process."""
    logger.warning(line)


class Moment:
    """What a step that fails must not have changed: torch's generators, and the buffers of a network.

    To take it waits for no device: a GPU's generator is a number on the host.
    """

    def __init__(self, network: nn.Module, device: torch.device) -> None:
        self._device = device
        by_dtype: dict[torch.dtype, list[Tensor]] = {}
        for buffer in network.buffers():
            by_dtype.setdefault(buffer.dtype, []).append(buffer)
        self._live = list(by_dtype.values())
        self._kept = [[buffer.clone() for buffer in buffers] for buffers in self._live]
        self._generators = generators(device)

    def take(self) -> None:
        """Remember it as it is now."""
        self._generators = generators(self._device)
        self._copy(self._live, self._kept)

    def restore_buffers(self) -> None:
        """Put the buffers back."""
        self._copy(self._kept, self._live)

    def restore(self) -> None:
        """Put everything back."""
        set_generators(self._device, self._generators)
        self.restore_buffers()

    @staticmethod
    def _copy(sources: list[list[Tensor]], targets: list[list[Tensor]]) -> None:
        with torch.no_grad():
            for source, target in zip(sources, targets, strict=True):
                torch._foreach_copy_(target, source)


def generators(device: torch.device) -> list[Tensor]:
    """The states of torch's generators that networks on a device draw from."""
    own = [torch.cuda.get_rng_state(device)] if device.type == "cuda" else []
    return [torch.get_rng_state(), *own]


def set_generators(device: torch.device, states: list[Tensor]) -> None:
    """Set them to what `generators` gave."""
    torch.set_rng_state(states[0])
    if device.type == "cuda":
        torch.cuda.set_rng_state(states[1], device)
