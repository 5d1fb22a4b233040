"""3x3 pooling of the DARTS cells: size kept at stride 1, halved (rounded up) at stride 2."""

from __future__ import annotations

from torch import nn


def max_pool(kernel: int, stride: int) -> nn.Module:
    """Maximum over kernel x kernel, padded with -infinity."""
    return nn.MaxPool2d(kernel, stride, kernel // 2)


def average_pool(kernel: int, stride: int) -> nn.Module:
    """Mean over the real pixels under the kernel; padding is not counted."""
    return nn.AvgPool2d(kernel, stride, kernel // 2, count_include_pad=False)
