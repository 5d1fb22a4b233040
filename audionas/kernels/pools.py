"""The two 3x3 pools of DARTS in one pass over a state."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from audionas.kernels import native
from audionas.kernels.gradients_again import gradients_again


def max_and_average_pool(x: Tensor, stride: int) -> tuple[Tensor, Tensor]:
    """Maximum and mean over 3x3 places, padded by 1; padding is not counted.

    Args:
        x: (batch, channels, features, frames).
        stride: 1 or 2.

    Returns:
        Each (batch, channels, ceil(features / stride), ceil(frames / stride)). Of equal values the first in reading
        order gets the maximum's gradient, as in torch.
    """
    if native.is_native([x]) and x.numel() > 0:
        maximum, mean = _Pools.apply(x, stride)  # type: ignore[no-untyped-call]
        return maximum, mean
    return _in_torch(x, stride)


def _in_torch(x: Tensor, stride: int) -> tuple[Tensor, Tensor]:
    return functional.max_pool2d(x, 3, stride, 1), functional.avg_pool2d(x, 3, stride, 1, count_include_pad=False)


class _Pools(torch.autograd.Function):
    """The compiled kernels; a byte a maximum is kept for the gradient. Gradients of gradients go through torch."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, stride: int) -> tuple[Tensor, Tensor]:
        planes = native.whole_planes(x)
        maximum = x.new_empty(*x.shape[:2], *(-(-size // stride) for size in x.shape[2:]))
        mean, place = torch.empty_like(maximum), maximum.new_empty(maximum.shape, dtype=torch.uint8)
        sizes = [*x.shape, stride, torch.get_num_threads()]
        native.call("pools", x.dtype, sizes, planes, planes.stride(0), maximum, mean, place)
        ctx.sizes = sizes
        ctx.save_for_backward(x, place)
        return maximum, mean

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, None]:
        x, place = ctx.saved_tensors
        if torch.is_grad_enabled():
            (found,) = gradients_again(lambda own: _in_torch(own[0], ctx.sizes[4]), [x], [True], gradients)
            return found, None
        dmaximum, dmean = (each.contiguous() for each in gradients)
        dx = x.new_empty(x.shape)
        native.call("pools_gradient", x.dtype, ctx.sizes, dmaximum, dmean, place, dx)
        return dx, None
