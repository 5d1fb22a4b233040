"""What a factorised reduction reads of its input, in one pass.

Source: Liu et al. 2019 and its release: a skip at stride 2 is two 1x1 convolutions, the second shifted by one pixel.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from audionas.kernels import native


def rectified_halves(x: Tensor, causal: bool = False) -> tuple[Tensor, Tensor]:
    """After ReLU, every second pixel, and every second of those one further.

    Args:
        x: (batch, channels, features, frames).
        causal: whether the second half's pixels are one frame earlier, not later. They are one feature further always.

    Returns:
        Each (batch, channels, ceil(features / 2), ceil(frames / 2)), with zeros beyond the edge.
    """
    if native.is_native([x]) and x.numel() > 0:
        first, second = _Halves.apply(x, causal)  # type: ignore[no-untyped-call]
        return first, second
    return _in_torch(x, causal)


def _in_torch(x: Tensor, causal: bool) -> tuple[Tensor, Tensor]:
    x = functional.relu(x)
    n_features, n_frames = x.shape[2:]
    if causal:
        shifted = functional.pad(x, (1, 0, 0, n_features % 2))[:, :, 1:, : n_frames + n_frames % 2]
    else:
        shifted = functional.pad(x, (0, n_frames % 2, 0, n_features % 2))[:, :, 1:, 1:]
    return every_second(x), every_second(shifted)


def every_second(x: Tensor) -> Tensor:
    """Every second feature and frame, (batch, channels, ceil(features/2), ceil(frames/2)), never channels last."""
    return x[:, :, ::2, ::2].contiguous(memory_format=torch.contiguous_format)


class _Halves(torch.autograd.Function):
    """The compiled kernels; what is kept for the gradient are the halves. Gradients of gradients go through torch."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, causal: bool) -> tuple[Tensor, Tensor]:
        planes = native.whole_planes(x)
        first = x.new_empty(*x.shape[:2], *(-(-size // 2) for size in x.shape[2:]))
        second = torch.empty_like(first)
        sizes = [*x.shape, -1 if causal else 1, torch.get_num_threads()]
        native.call("halves", x.dtype, sizes, planes, planes.stride(0), first, second)
        ctx.sizes = sizes
        ctx.save_for_backward(first, second)
        return first, second

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        first, second = ctx.saved_tensors
        if torch.is_grad_enabled():
            return _joined(ctx.sizes, first, second, *gradients), None
        dfirst, dsecond = (each.contiguous() for each in gradients)
        dx = torch.empty(ctx.sizes[:4], dtype=first.dtype)
        native.call("halves_gradient", first.dtype, ctx.sizes, first, second, dfirst, dsecond, dx)
        return dx, None


def _joined(sizes: list[int], first: Tensor, second: Tensor, dfirst: Tensor, dsecond: Tensor) -> Tensor:
    """The gradient by operations of torch: linear in the halves' gradients."""
    batch, channels, features, frames, shift, _ = sizes
    rows, columns = first.shape[2:]
    wide = first.new_zeros(batch, channels, 2 * rows, 2 * columns)
    even, odd = wide.clone(), wide
    even[:, :, ::2, ::2] = dfirst * (first > 0)
    odd[:, :, 1::2, 1::2] = dsecond * (second > 0)
    if shift < 0:
        odd = functional.pad(odd, (0, 2))[:, :, :, 2:]
    return (even + odd)[:, :, :features, :frames]
