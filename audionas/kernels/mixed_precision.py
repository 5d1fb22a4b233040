"""Types of numbers where a network computes in mixed precision (torch's autocast)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor


@contextmanager
def plain_types(x: Tensor) -> Iterator[torch.dtype]:
    """Within: autocast is off, an operation decides by itself; gives the type in which x would be multiplied."""
    kind = x.device.type
    is_mixed = kind in ("cpu", "cuda") and torch.is_autocast_enabled(kind)
    if not is_mixed:
        yield x.dtype
        return
    dtype = torch.get_autocast_dtype(kind)
    with torch.autocast(kind, enabled=False):
        yield dtype


def full_precision(x: Tensor) -> Tensor:
    """x in float32 where it has 16 bits, else x itself: for values that must not be rounded to so few.

    Torch's autocast does so for softmax and losses on a GPU, on the CPU not for all of them; for our own sums nowhere.
    """
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
