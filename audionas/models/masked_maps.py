"""Feature maps of clips of different lengths: frames beyond a clip's own are zeros before layers that mix frames.

A layer that halves the frames, rounding up, and finds zeros behind a clip where it would find its own zero padding
gives the clip what it gives it alone. In training, batch norm's statistics still count the zeros.
"""

from __future__ import annotations

import torch
from torch import Tensor

from audionas.models.recipe_cell import frame_mask


def own_lengths(lengths: Tensor | None, x: Tensor) -> Tensor | None:
    """Lengths within the frames of x (batch, channels, features, frames); None, where padding counts, stays None."""
    return None if lengths is None else lengths.clamp(1, x.shape[3])


def masked(x: Tensor, lengths: Tensor | None) -> Tensor:
    """(batch, channels, features, frames) with zeros beyond each clip's own frames, whatever stood there."""
    if lengths is None:
        return x
    return torch.where(frame_mask(lengths, x.shape[3])[:, None, None, :], x, 0.0)


def strided(lengths: Tensor | None, stride: int) -> Tensor | None:
    """Own frames behind a layer that maps n frames to ceil(n / stride).

    >>> strided(torch.tensor([1, 4, 5]), 2)
    tensor([1, 2, 3])
    """
    return None if lengths is None else -(-lengths // stride)


def masked_average(x: Tensor, lengths: Tensor | None) -> Tensor:
    """(batch, channels, features, frames) -> (batch, channels): the mean over features and own frames."""
    if lengths is None:
        return x.mean(dim=(2, 3))
    return masked(x, lengths).sum(dim=3).mean(dim=2) / lengths[:, None]
