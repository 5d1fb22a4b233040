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
