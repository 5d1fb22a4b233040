"""Values that must not be rounded to 16 bits where a network computes in mixed precision."""

from __future__ import annotations

import torch
from torch import Tensor


def full_precision(x: Tensor) -> Tensor:
    """x in float32 where it has 16 bits, else x itself.

    Torch's autocast does so for softmax and losses on a GPU, on the CPU not for all of them; for our own sums nowhere.
    """
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
