"""Convolutions of the DARTS cells: separable, dilated, and the 1x1 that adapts a cell's inputs; and asymmetric ones.

Source: Liu, Simonyan, Yang, "DARTS", 2019, section 3.1: ReLU-Conv-BN order, separable convolutions
applied twice, padding that keeps the size (stride 1) or halves it, rounding up (stride 2).
All modules map (batch, channels, features, frames) float32 to the same with ceil(size / stride). A kernel is
(features, frames); `causal` ones read no later frame (`audionas/ops/padding.py`).
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from audionas.kernels.depthwise_pointwise import Taps, depthwise_pointwise
from audionas.kernels.native import is_native
from audionas.ops.padding import PaddedConv2d, Pair


def _depthwise_pointwise(
    channels: int, kernel: Pair, stride: int, dilation: Pair, affine: bool, causal: bool
) -> list[nn.Module]:
    return [
        nn.ReLU(),
        PaddedConv2d(channels, channels, kernel, stride, dilation, channels, causal=causal),
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.BatchNorm2d(channels, affine=affine),
    ]


class _Pairs(nn.Sequential):
    """Stages of ReLU, depthwise and pointwise convolution, BN; trained on a CPU, the kernels do all but BN."""

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, features, frames) -> the same, strided."""
        if not (self.training and torch.is_grad_enabled() and x.device.type == "cpu" and is_native([x])):
            return cast(Tensor, super().forward(x))  # type: ignore[no-untyped-call]
        layers = list(self)
        for _, depthwise, pointwise, norm in zip(*[iter(layers)] * 4, strict=True):
            taps = [taps_of(depthwise)]
            (z,), _, _ = depthwise_pointwise(
                [x], [depthwise.weight], [pointwise.weight], taps, depthwise.stride[0], normalise=False
            )
            x = norm(z)
        return x


def taps_of(depthwise: nn.Module) -> Taps:
    """Where a depthwise layer's filter reads."""
    assert isinstance(depthwise, PaddedConv2d)
    before = (depthwise.zeros[2], depthwise.zeros[0]) if depthwise.zeros else depthwise.padding
    return Taps(depthwise.kernel_size, depthwise.dilation, before)  # type: ignore[arg-type]


class SeparableConv(_Pairs):
    """Depthwise and pointwise convolution, twice; the first carries the stride."""

    def __init__(self, channels: int, kernel: int, stride: int, affine: bool, causal: bool = False) -> None:
        first = _depthwise_pointwise(channels, (kernel, kernel), stride, (1, 1), affine, causal)
        second = _depthwise_pointwise(channels, (kernel, kernel), 1, (1, 1), affine, causal)
        super().__init__(*first, *second)


class DilatedConv(_Pairs):
    """Depthwise convolution with dilation 2, then pointwise. An axis on which the kernel is 1 wide is not dilated."""

    def __init__(self, channels: int, kernel: Pair, stride: int, affine: bool, causal: bool = False) -> None:
        super().__init__(*_depthwise_pointwise(channels, kernel, stride, (2, 2), affine, causal))


class PlainConv(nn.Sequential):
    """ReLU, one convolution over all channels, BN; its kernel may be even or asymmetric.

    Source of 10x2 (frequency) and 2x8 (time): Li, Song, McLoughlin, Guo, Dai 2018, "An Attention Pooling based
    Representation Learning Method for Speech Emotion Recognition", section 2.
    """

    def __init__(self, channels: int, kernel: Pair, stride: int, affine: bool, causal: bool = False) -> None:
        super().__init__(
            nn.ReLU(),
            PaddedConv2d(channels, channels, kernel, stride, causal=causal),
            nn.BatchNorm2d(channels, affine=affine),
        )


class ReluConvBn(nn.Sequential):
    """ReLU, 1x1 convolution, batch normalisation: brings a cell's input to the cell's channels."""

    def __init__(self, channels_in: int, channels_out: int, affine: bool) -> None:
        super().__init__(
            nn.ReLU(),
            nn.Conv2d(channels_in, channels_out, 1, bias=False),
            nn.BatchNorm2d(channels_out, affine=affine),
        )
