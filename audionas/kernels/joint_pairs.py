"""Depthwise and pointwise convolutions of several edges in one operation each, for a card: few launches, little kept.

Edges out of one state run the same kinds of convolution, of a few channels each, which leaves a card idle. Their
depthwise filters are one grouped convolution, their pointwise ones one matrix of blocks, zero between the edges: a card
multiplies by zeros faster than it starts small products. For the gradient the inputs are kept, nothing between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.grad import conv2d_input, conv2d_weight

from audionas.kernels.depthwise_pointwise import Taps
from audionas.kernels.gradients_again import gradients_again
from audionas.kernels.loader import goes_as_on_card, is_torch_only
from audionas.kernels.mixed_precision import plain_types


@dataclass(frozen=True)
class _Settings:
    taps: Taps
    stride: int
    n_channels: int  # of the depthwise convolution's input
    eps: float


def takes_joint(x: Tensor, taps: Sequence[Taps]) -> bool:
    """Whether convolutions of several edges are done together: on a card, with as many zeros before as after."""
    return goes_as_on_card(x) and not is_torch_only() and all(each.before == each.after for each in taps)


def joint_pairs(x: Tensor, filters: Sequence[Tensor], pointwise: Sequence[Tensor], taps: Taps, stride: int) -> Tensor:
    """pointwise(depthwise(x)) of several groups that read the same input.

    Args:
        x: (batch, channels, features, frames), already rectified.
        filters: of each group, (channels, 1, height, width).
        pointwise: of each group, (channels, channels, 1, 1).
        taps: of all groups.
        stride: 1 or 2, of the depthwise convolution.

    Returns:
        (batch, groups * channels, ceil(features / stride), ceil(frames / stride)), group by group.
    """
    n, channels = len(filters), x.shape[1]
    depthwise = torch.stack(list(filters), dim=1).flatten(0, 1)  # of each channel its groups, as torch orders them
    mixing = torch.stack(list(pointwise)).flatten(2)  # (groups, channels out, channels)
    if n > 1:
        own = torch.eye(n, dtype=mixing.dtype, device=mixing.device)[:, None, None, :]
        mixing = mixing[:, :, :, None] * own
    settings = _Settings(taps, stride, channels, 0.0)
    with plain_types(x) as dtype:
        given = x.to(dtype), depthwise, mixing.reshape(n * channels, n * channels)
        return _JointPairs.apply(settings, None, *given)  # type: ignore[no-untyped-call, no-any-return]


def joint_normalised_pairs(
    x: Tensor, filters: Sequence[Tensor], pointwise: Sequence[Tensor], taps: Taps, eps: float = 1e-5
) -> tuple[Tensor, Tensor, Tensor]:
    """pointwise(depthwise(relu(BN without affine parameters (x)))) of several groups with inputs of their own.

    Args:
        x: (batch, groups * channels, features, frames), group by group.
        filters: of each group, (channels, 1, height, width).
        pointwise: of each group, (channels, channels, 1, 1).
        taps: of all groups.
        eps: of BN.

    Returns:
        The same shape as x, and the means and biased variances of x, (groups, channels) without gradients.
    """
    n, channels = len(filters), filters[0].shape[0]
    mixing = torch.stack(list(pointwise)).flatten(2)
    if n > 1:
        own = torch.eye(n, dtype=mixing.dtype, device=mixing.device)[:, None, :, None]
        mixing = mixing[:, :, None, :] * own
    settings = _Settings(taps, 1, n * channels, eps)
    with plain_types(x) as dtype:
        x = x.to(dtype)
        moments = _moments(x.detach(), eps)
        given = x, torch.cat(list(filters)), mixing.reshape(n * channels, n * channels)
        value = _JointPairs.apply(settings, moments, *given)  # type: ignore[no-untyped-call]
    mean, variance = (each.reshape(n, channels) for each in moments)
    return value, mean, variance


Moments = tuple[Tensor, Tensor]


def _moments(x: Tensor, eps: float) -> Moments:
    """Mean and biased variance of each channel, (channels,) in float32 at least: on a card those of 16 bits are so."""
    x = x if x.is_cuda or x.element_size() > 2 else x.float()
    _, mean, rstd = torch.native_batch_norm(x, None, None, None, None, True, 0.0, eps)
    return mean, (rstd.square().reciprocal() - eps).clamp(min=0.0)


class _JointPairs(torch.autograd.Function):
    """x -> z by a filter (outputs, 1, height, width) and a matrix (outputs, outputs); with moments of x normalised."""

    @staticmethod
    def forward(
        ctx: Any, settings: _Settings, moments: Moments | None, x: Tensor, depthwise: Tensor, mixing: Tensor
    ) -> Tensor:
        ctx.settings, ctx.moments = settings, moments
        ctx.save_for_backward(x, depthwise, mixing)
        between = _depthwise(settings, _rectified(settings, moments, x), depthwise.to(x.dtype))
        return functional.conv2d(between, mixing.to(x.dtype)[:, :, None, None])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        settings, moments, wanted = ctx.settings, ctx.moments, ctx.needs_input_grad[2:]
        if torch.is_grad_enabled():
            saved = ctx.saved_tensors
            return None, None, *gradients_again(lambda own: _plain(settings, moments, own), saved, wanted, gradient)
        x, depthwise, mixing = ctx.saved_tensors
        own_depthwise, matrix = depthwise.to(x.dtype), mixing.to(x.dtype)
        of_between = functional.conv2d(gradient, matrix.t()[:, :, None, None].contiguous())
        rectified = _rectified(settings, moments, x) if any(wanted[1:]) or moments is not None else x
        of_x = of_depthwise = of_mixing = None
        if wanted[2]:
            between = _depthwise(settings, rectified, own_depthwise)
            found: Tensor = conv2d_weight(between, [*matrix.shape, 1, 1], gradient)  # type: ignore[no-untyped-call]
            of_mixing = found[:, :, 0, 0].to(mixing.dtype)
        how = settings.stride, settings.taps.before, settings.taps.dilation, settings.n_channels
        if wanted[1]:
            of_depthwise = conv2d_weight(rectified, depthwise.shape, of_between, *how)  # type: ignore[no-untyped-call]
            of_depthwise = of_depthwise.to(depthwise.dtype)
        if wanted[0]:
            of_x = conv2d_input(x.shape, own_depthwise, of_between, *how)  # type: ignore[no-untyped-call]
            if moments is not None:
                of_x = _of_normalised(settings, moments, x, torch.where(rectified > 0, of_x, 0.0))
        return None, None, of_x, of_depthwise, of_mixing


def _rectified(settings: _Settings, moments: Moments | None, x: Tensor) -> Tensor:
    if moments is None:
        return x
    return functional.batch_norm(x, *moments, training=False, eps=settings.eps).relu_()


def _depthwise(settings: _Settings, x: Tensor, filters: Tensor) -> Tensor:
    taps = settings.taps
    return functional.conv2d(x, filters, None, settings.stride, taps.before, taps.dilation, settings.n_channels)


def _of_normalised(settings: _Settings, moments: Moments, x: Tensor, gradient: Tensor) -> Tensor:
    """The gradient of x from that of BN's output."""
    mean, variance = moments
    rstd = (variance + settings.eps).rsqrt()
    given = gradient, x, None, None, None, mean, rstd, True, settings.eps, [True, False, False]
    return torch.ops.aten.native_batch_norm_backward(*given)[0]  # type: ignore[no-any-return]


def _plain(settings: _Settings, moments: Moments | None, own: Sequence[Tensor]) -> Tensor:
    """The same in operations that can be differentiated twice."""
    x, depthwise, mixing = own
    if moments is not None:
        x = functional.relu(functional.batch_norm(x, None, None, training=True, eps=settings.eps))
    return functional.conv2d(_depthwise(settings, x, depthwise), mixing[:, :, None, None])
