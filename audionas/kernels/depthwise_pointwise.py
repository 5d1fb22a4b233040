"""ReLU, depthwise and pointwise convolution of many groups in one call: what all edges out of a state have in common.

Source: the stages of the separable and dilated convolutions of Liu et al. 2019 (DARTS), section 3.1.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.nn import functional

from audionas.kernels import native
from audionas.kernels.gradients_again import gradients_again
from audionas.kernels.mixed_precision import full_precision

T = TypeVar("T")


@dataclass(frozen=True)
class Taps:
    """Where the depthwise filter of a group reads; each pair is (features, frames), `before` counts zeros."""

    kernel: tuple[int, int]
    dilation: tuple[int, int]
    before: tuple[int, int]

    @property
    def after(self) -> tuple[int, int]:
        """Zeros after, so that the size is kept at stride 1."""
        reach = ((size - 1) * step for size, step in zip(self.kernel, self.dilation, strict=True))
        features, frames = (total - before for total, before in zip(reach, self.before, strict=True))
        return features, frames


@dataclass(frozen=True)
class _Settings:
    taps: tuple[Taps, ...]
    stride: int
    normalise: bool
    eps: float
    n_inputs: int


def depthwise_pointwise(
    x: Sequence[Tensor],
    filters: Sequence[Tensor],
    pointwise: Sequence[Tensor],
    taps: Sequence[Taps],
    stride: int,
    normalise: bool,
    eps: float = 1e-5,
) -> tuple[list[Tensor], Tensor, Tensor]:
    """Of each group its pointwise(depthwise(relu(x))), where `normalise` of relu(BN without affine parameters (x)).

    Args:
        x: of each group, or one that all share, (batch, channels, features, frames).
        filters: of each group, (channels, 1, height, width).
        pointwise: of each group, (channels, channels, 1, 1).
        taps: of each group.
        stride: 1 or 2, of the depthwise convolution.
        normalise: whether each x first goes through BN with the statistics of the batch.
        eps: of BN.

    Returns:
        Of each group (batch, channels, ceil(features / stride), ceil(frames / stride)), and where `normalise` the mean
        and the biased variance of each x, (inputs, channels) without gradients, else two empty tensors.
    """
    settings = _Settings(tuple(taps), stride, normalise, eps, len(x))
    tensors = [*x, *filters, *pointwise]
    if native.is_native(tensors) and x[0].numel() > 0:
        return _compiled(settings, tensors)
    return _in_torch(settings, x, filters, pointwise)


def _compiled(settings: _Settings, tensors: Sequence[Tensor]) -> tuple[list[Tensor], Tensor, Tensor]:
    x = tensors[: settings.n_inputs]
    of_x = native.moments(x) if settings.normalise else None
    *values, means, variances = _DepthwisePointwise.apply(settings, of_x, *tensors)  # type: ignore[no-untyped-call]
    for value, *moments in zip(values, means, variances, strict=True):
        native.remember(value, (moments[0], moments[1]))
    mean, variance = (each.to(x[0].dtype) for each in of_x) if of_x else (x[0].new_empty(0), x[0].new_empty(0))
    return values, mean, variance


def _in_torch(
    settings: _Settings, x: Sequence[Tensor], filters: Sequence[Tensor], pointwise: Sequence[Tensor]
) -> tuple[list[Tensor], Tensor, Tensor]:
    """The same in plain torch."""
    own = [full_precision(each.detach()) for each in x if settings.normalise]
    statistics = [torch.var_mean(each, dim=(0, 2, 3), correction=0) for each in own]
    if settings.normalise:
        x = tuple(functional.batch_norm(each, None, None, training=True, eps=settings.eps) for each in x)
    rectified = [functional.relu(each) for each in x]
    shared = len(rectified) == 1
    values = [
        _pair(rectified[0 if shared else g], each, mix, settings.taps[g], settings.stride)
        for g, (each, mix) in enumerate(zip(filters, pointwise, strict=True))
    ]
    if not settings.normalise:
        return values, x[0].new_empty(0), x[0].new_empty(0)
    return values, torch.stack([mean for _, mean in statistics]), torch.stack([var for var, _ in statistics])


def _pair(x: Tensor, filters: Tensor, pointwise: Tensor, taps: Taps, stride: int) -> Tensor:
    (top, left), (bottom, right) = taps.before, taps.after
    zeros: tuple[int, int] | int = (top, left)
    if taps.before != taps.after:
        x, zeros = functional.pad(x, (left, right, top, bottom)), 0
    x = functional.conv2d(x, filters, None, stride, zeros, taps.dilation, filters.shape[0])
    return functional.conv2d(x, pointwise)


class _DepthwisePointwise(torch.autograd.Function):
    """The compiled kernels; what is kept for the gradient is the input. Gradients of gradients go through torch."""

    @staticmethod
    def forward(ctx: Any, settings: _Settings, of_x: native.Moments | None, *tensors: Tensor) -> tuple[Tensor, ...]:
        x, filters, pointwise = _divided(settings, tensors)
        batch, channels, *size = x[0].shape
        own = [batch, channels, *(-(-each // settings.stride) for each in size)]
        values = [x[0].new_empty(own) for _ in filters]
        mean, variance = (x[0].new_empty(len(filters), channels, dtype=torch.float64) for _ in range(2))
        planes = [native.whole_planes(each) for each in x]
        arguments = _arguments(settings, planes, filters, pointwise, of_x)
        native.call("depthwise_pointwise", x[0].dtype, *arguments, values, mean, variance)
        ctx.settings, ctx.of_x = settings, of_x
        ctx.save_for_backward(*x, *filters, *pointwise)
        ctx.mark_non_differentiable(mean, variance)
        return (*values, mean, variance)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        settings, wanted, saved = ctx.settings, ctx.needs_input_grad[2:], ctx.saved_tensors
        if torch.is_grad_enabled():
            return None, None, *_again_in_torch(settings, saved, wanted, gradients[:-2])
        x, filters, pointwise = _divided(settings, saved)
        x, given = ([native.whole_planes(each) for each in tensors] for tensors in (x, gradients[:-2]))
        found = [
            each.new_empty(each.shape) if is_wanted else None for each, is_wanted in zip(saved, wanted, strict=True)
        ]
        arguments = _arguments(settings, x, filters, pointwise, ctx.of_x)
        outputs = _divided(settings, found)
        native.call("depthwise_pointwise_gradient", x[0].dtype, *arguments, given, native.strides(given), *outputs)
        return None, None, *found


def _divided(settings: _Settings, tensors: Sequence[T]) -> tuple[list[T], list[T], list[T]]:
    n, groups = settings.n_inputs, len(settings.taps)
    return list(tensors[:n]), list(tensors[n : n + groups]), list(tensors[n + groups :])


def _arguments(
    settings: _Settings,
    x: Sequence[Tensor],
    filters: Sequence[Tensor],
    pointwise: Sequence[Tensor],
    of_x: native.Moments | None,
) -> list[object]:
    """What both kernels take first."""
    batch, channels, features, frames = x[0].shape
    sizes = [batch, len(filters), len(x), channels, features, frames, settings.stride, torch.get_num_threads()]
    taps = [k for each in settings.taps for k in (*each.kernel, *each.dilation, *each.before)]
    own = [[each.contiguous() for each in kernels] for kernels in (filters, pointwise)]
    first = [sizes, (ctypes.c_int32 * len(taps))(*taps), list(x), native.strides(x)]
    return [*first, *own, *(of_x or (None, None)), settings.eps]


def _again_in_torch(
    settings: _Settings, tensors: Sequence[Tensor], wanted: Sequence[bool], received: Sequence[Tensor]
) -> list[Tensor | None]:
    """Gradients that can be differentiated themselves."""
    return gradients_again(lambda own: _in_torch(settings, *_divided(settings, own))[0], tensors, wanted, received)
