"""Pooling of the cells: 3x3 as in DARTS, over frames alone (1x3) or over features alone (3x1).

Size kept at stride 1, halved (rounded up) at stride 2. A pool over one axis takes every second line of the other
at stride 2, as a skip connection would.
"""

from __future__ import annotations

from torch import nn

from audionas.ops.padding import CausalAveragePool2d, CausalMaxPool2d, Pair


def max_pool(kernel: Pair, stride: int, causal: bool = False) -> nn.Module:
    """Maximum over (features, frames) of the kernel, odd each, padded with -infinity."""
    if causal:
        return CausalMaxPool2d(kernel, stride)
    return nn.MaxPool2d(kernel, stride, (kernel[0] // 2, kernel[1] // 2))


def average_pool(kernel: Pair, stride: int, causal: bool = False) -> nn.Module:
    """Mean over the real pixels under the kernel, (features, frames), odd each; padding is not counted."""
    if causal:
        return CausalAveragePool2d(kernel, stride)
    return nn.AvgPool2d(kernel, stride, (kernel[0] // 2, kernel[1] // 2), count_include_pad=False)
