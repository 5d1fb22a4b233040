"""Feature maps of clips of different lengths: frames beyond a clip's own are zeros before layers that mix frames.

A layer that halves the frames, rounding up, and finds zeros behind a clip where it would find its own zero padding
gives the clip what it gives it alone. In training, batch norm's statistics still count the zeros.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from audionas.models.recipe_cell import frame_mask


def own_lengths(lengths: Tensor | None, x: Tensor) -> Tensor | None:
    """Lengths within the frames of x (batch, channels, features, frames); None, where padding counts, stays None."""
    return None if lengths is None else lengths.clamp(1, x.shape[3])


def masked(x: Tensor, lengths: Tensor | None) -> Tensor:
    """(batch, channels, features, frames) with zeros beyond each clip's own frames, whatever stood there."""
    if lengths is None:
        return x
    return torch.where(frame_mask(lengths, x.shape[3])[:, None, None, :], x, 0.0)


def masked_relu(x: Tensor, lengths: Tensor | None) -> Tensor:
    """max(x, 0) of (batch, channels, features, frames) with zeros beyond each clip's own frames; x is finite.

    In training as cheap as the ReLU alone: where the result is 0, so is the gradient.
    """
    if lengths is None or not (torch.is_grad_enabled() and x.requires_grad):
        return masked(x.relu(), lengths)
    return cast(Tensor, _MaskedRelu.apply(x, lengths))  # type: ignore[no-untyped-call]


class _MaskedRelu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, lengths: Tensor) -> Tensor:
        result = x.relu()
        if result.is_cpu:
            for clip, n_frames in zip(result, lengths.tolist(), strict=True):
                clip[:, :, n_frames:] = 0.0
        else:
            result.masked_fill_(~frame_mask(lengths, x.shape[3])[:, None, None, :], 0.0)
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (result,) = ctx.saved_tensors
        return torch.ops.aten.threshold_backward(gradients[0], result, 0), None


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


@dataclass(frozen=True, eq=False)
class MaskedMaps:
    """Feature maps (batch, channels, features, frames), 0 beyond `lengths` (batch,) own frames; None: all are own."""

    values: Tensor
    lengths: Tensor | None

    @staticmethod
    def of(values: Tensor, lengths: Tensor | None) -> MaskedMaps:
        """Maps with zeros in place of their padding."""
        return MaskedMaps(masked(values, lengths), lengths)

    def max_pooled(self) -> MaskedMaps:
        """2x2 max pooling of maps >= 0, sizes rounded up.

        Of an odd number of own frames the last stands with a zero of the padding, which is never above it.
        """
        return MaskedMaps(functional.max_pool2d(self.values, 2, ceil_mode=True), strided(self.lengths, 2))

    def positions(self) -> Tensor:
        """Which positions are own: (batch or 1, 1, 1, frames) bool."""
        n_frames = self.values.shape[3]
        if self.lengths is None:
            return torch.ones(1, 1, 1, n_frames, dtype=torch.bool, device=self.values.device)
        return frame_mask(self.lengths, n_frames)[:, None, None, :]

    def mean(self) -> Tensor:
        """The mean over own positions, (batch, channels)."""
        if self.lengths is None:
            return self.values.mean(dim=(2, 3))
        return self.values.sum(dim=(2, 3)) / (self.lengths[:, None] * self.values.shape[2])


class ConvLayer(nn.Module):
    """Convolution with bias that keeps the size, BN, ReLU; of an even filter the larger half of the zeros is after."""

    def __init__(self, channels_in: int, channels_out: int, kernel: tuple[int, int]) -> None:
        super().__init__()
        before = [(size - 1) // 2 for size in kernel]
        after = [size // 2 for size in kernel]
        is_even = before != after
        self.zeros = (before[1], after[1], before[0], after[0]) if is_even else (0, 0, 0, 0)
        self.conv = nn.Conv2d(channels_in, channels_out, kernel, padding=(0, 0) if is_even else (before[0], before[1]))
        self.norm = nn.BatchNorm2d(channels_out)

    def forward(self, maps: MaskedMaps) -> MaskedMaps:
        """(batch, channels_in, features, frames) -> (batch, channels_out, features, frames), >= 0."""
        x = functional.pad(maps.values, self.zeros) if any(self.zeros) else maps.values
        return MaskedMaps(masked_relu(self.norm(self.conv(x)), maps.lengths), maps.lengths)
