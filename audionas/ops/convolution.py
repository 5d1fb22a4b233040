"""Convolutions of the DARTS cells: separable, dilated, and the 1x1 that adapts a cell's inputs.

Source: Liu, Simonyan, Yang, "DARTS", 2019, section 3.1: ReLU-Conv-BN order, separable convolutions
applied twice, kernels of odd size with padding that keeps (stride 1) or halves, rounding up (stride 2).
All modules map (batch, channels, features, frames) float32 to the same with ceil(size / stride).
"""

from __future__ import annotations

from torch import nn


def _depthwise_pointwise(channels: int, kernel: int, stride: int, dilation: int, affine: bool) -> list[nn.Module]:
    padding = dilation * (kernel // 2)
    return [
        nn.ReLU(),
        nn.Conv2d(channels, channels, kernel, stride, padding, dilation, groups=channels, bias=False),
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.BatchNorm2d(channels, affine=affine),
    ]


class SeparableConv(nn.Sequential):
    """Depthwise and pointwise convolution, twice; the first carries the stride."""

    def __init__(self, channels: int, kernel: int, stride: int, affine: bool) -> None:
        first = _depthwise_pointwise(channels, kernel, stride, 1, affine)
        second = _depthwise_pointwise(channels, kernel, 1, 1, affine)
        super().__init__(*first, *second)


class DilatedConv(nn.Sequential):
    """Depthwise convolution with dilation 2, then pointwise."""

    def __init__(self, channels: int, kernel: int, stride: int, affine: bool) -> None:
        super().__init__(*_depthwise_pointwise(channels, kernel, stride, 2, affine))


class ReluConvBn(nn.Sequential):
    """ReLU, 1x1 convolution, batch normalisation: brings a cell's input to the cell's channels."""

    def __init__(self, channels_in: int, channels_out: int, affine: bool) -> None:
        super().__init__(
            nn.ReLU(),
            nn.Conv2d(channels_in, channels_out, 1, bias=False),
            nn.BatchNorm2d(channels_out, affine=affine),
        )
