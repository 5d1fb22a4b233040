"""Skip connection, no connection, and the factorised reduction that a skip becomes at stride 2.

Source: Liu et al. 2019 and its release: the second half of the channels is taken one
pixel further right and down, so that no pixel is dropped. Difference: for odd sizes the shifted half
is zero-padded by one row and column, where the release fails. Causal: one pixel further left in time instead.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from audionas.kernels.halves import every_second, rectified_halves


class Zero(nn.Module):
    """No connection: zeros of the output's shape."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, features, frames) -> the same, strided, all 0."""
        return x[:, :, :: self.stride, :: self.stride] * 0.0


class SecondPixels(nn.Conv2d):
    """A 1x1 convolution with stride 2, done as one with stride 1 on the pixels that it reads.

    In torch 2.13 on a CPU the backward pass of the former writes beyond its memory when the input lies channels last.
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(channels_in, channels_out, 1, stride=2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels_in, features, frames) -> (batch, channels_out, ceil(features/2), ceil(frames/2))."""
        return functional.conv2d(every_second(x), self.weight)


class FactorizedReduce(nn.Module):
    """ReLU, two 1x1 stride-2 convolutions (the second shifted by one pixel), concatenation, BN."""

    def __init__(self, channels_in: int, channels_out: int, affine: bool, causal: bool = False) -> None:
        super().__init__()
        half = channels_out // 2
        self.conv_1 = SecondPixels(channels_in, half)
        self.conv_2 = SecondPixels(channels_in, channels_out - half)
        self.bn = nn.BatchNorm2d(channels_out, affine=affine)
        self.causal = causal

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels_in, features, frames) -> (batch, channels_out, ceil(features/2), ceil(frames/2))."""
        halves = rectified_halves(x, self.causal)
        pairs = zip(halves, (self.conv_1, self.conv_2), strict=True)
        return self.bn(torch.cat([functional.conv2d(half, layer.weight) for half, layer in pairs], dim=1))  # type: ignore[no-any-return]
