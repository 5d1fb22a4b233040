"""`Sparing`: what a one-shot search does when its GPU has no memory left: the same pass again, with less kept of it.

In order, as far as it is needed: results within cells are computed again in the backward pass (`Supernet.recomputes`),
then what the backward pass needs lies in the memory of the host. The numbers stay the same; a batch is never divided,
since batch norm takes the statistics of the whole.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

import torch

from audionas.models import Supernet
from audionas.training.memory import Moment, can_run_out, is_out_of_memory, tell_once

T = TypeVar("T")


class Sparing:
    """Runs passes of a supernet, and remembers what was found to save memory.

    Args:
        found: a record of an earlier part of the same search, which may hold what `as_record` gave.

    Attributes:
        on_host: whether what backward passes need lies in the host's memory.
        at_remedy: what is called when a remedy is taken, to free what was made for passes without it.
    """

    def __init__(self, supernet: Supernet, found: Mapping[str, Any] | None = None) -> None:
        found = found or {}
        self._supernet = supernet
        self._asked = supernet.recomputes
        self._moment: Moment | None = None
        self.at_remedy: list[Callable[[], None]] = []
        self.on_host = bool(found.get("activations_on_host"))
        supernet.recomputes = self._asked or bool(found.get("recomputes"))

    def as_record(self) -> dict[str, bool]:
        """What was found, beside what was asked for."""
        found = {"recomputes": self._supernet.recomputes and not self._asked, "activations_on_host": self.on_host}
        return {name: value for name, value in found.items() if value}

    def __call__(self, work: Callable[[], T]) -> T:
        """`work()`, done again as it began as long as there is a remedy. What failed is free before the next try."""
        device = self._supernet.weights_device
        if not can_run_out(device):
            return work()
        self._moment = self._moment or Moment(self._supernet, device)
        self._moment.take()
        while True:
            try:
                return work()
            except Exception as why:
                if not is_out_of_memory(why) or not self._spare_more():
                    raise
            for free in self.at_remedy:
                free()
            gc.collect()
            if device.type == "cuda":
                torch.cuda.empty_cache()
            self._moment.restore()

    def keeping(self) -> AbstractContextManager[object]:
        """Within: what a backward pass needs is kept where it shall be."""
        if not self.on_host:
            return nullcontext()
        return torch.autograd.graph.save_on_cpu(pin_memory=self._supernet.weights_device.type == "cuda")

    def _spare_more(self) -> bool:
        """Take the next remedy; False if there is none."""
        if not self._supernet.recomputes:
            self._supernet.recomputes = True
            tell_once(
                "out of memory on the device: from here on results within cells are computed again in the backward "
                "pass (the same result, slower); --recompute does so from the start"
            )
        elif not self.on_host:
            self.on_host = True
            tell_once(
                "out of memory on the device: from here on activations are kept in the host's memory "
                "(the same result, slower)"
            )
        else:
            return False
        return True


__all__ = ["Sparing"]
