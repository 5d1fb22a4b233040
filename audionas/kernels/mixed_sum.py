"""A node of the supernet: the weighted sum of its terms, each normalised first, of which nothing but the sum is stored.

Sources: Liu et al. 2019 (DARTS), equation 2, and its release (operations end in BN without affine parameters).
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from audionas.kernels import native
from audionas.kernels.gradients_again import gradients_again
from audionas.kernels.mixed_precision import full_precision
from audionas.kernels.triton_mixed_sum import can_sum, sum_on_card


@dataclass(frozen=True)
class _Settings:
    normalised: tuple[bool, ...]
    eps: float


def mixed_sum(
    weights: Tensor, terms: Sequence[Tensor], normalised: Sequence[bool], eps: float = 1e-5
) -> tuple[Tensor, Tensor, Tensor]:
    """Sum over k of weights[k] * terms[k], where normalised[k] of BN without affine parameters (terms[k]).

    Args:
        weights: (terms,).
        terms: each (batch, channels, features, frames).
        normalised: of each term whether it goes through BN with the statistics of the batch.
        eps: of BN.

    Returns:
        The sum; the means and the biased variances of the terms, (terms, channels) without gradients, 0 and 1 of a
        term that is not normalised.
    """
    settings = _Settings(tuple(normalised), eps)
    if native.is_native([weights, *terms]) and terms[0].numel() > 0:
        moments = _moments(terms, settings.normalised)
        total = _MixedSum.apply(settings, moments, weights, *terms)  # type: ignore[no-untyped-call]
        return total, moments[0].to(total.dtype), moments[1].to(total.dtype)
    if can_sum(weights, terms):
        return sum_on_card(weights, terms, normalised, eps, lambda own, each: plain_sum(own, each, normalised, eps))
    total, mean, variance = _MixedSumInTorch.apply(settings, weights, *terms)  # type: ignore[no-untyped-call]
    return total, mean, variance


def plain_sum(weights: Tensor, terms: Sequence[Tensor], normalised: Sequence[bool], eps: float = 1e-5) -> Tensor:
    """The sum as the paper has it: every normalised and every weighted term is kept for the gradient."""
    total: Tensor | None = None
    for weight, term, is_normalised in zip(weights, terms, normalised, strict=True):
        if is_normalised:
            term = functional.batch_norm(term, None, None, training=True, eps=eps)
        total = weight * term if total is None else total + weight * term
    assert total is not None
    return total


def _again_in_torch(ctx: Any, received: Tensor) -> list[Tensor | None]:
    """Gradients that can be differentiated themselves."""
    wanted, settings = ctx.needs_input_grad[-len(ctx.saved_tensors) :], ctx.settings

    def compute(own: list[Tensor]) -> Tensor:
        return plain_sum(own[0], own[1:], settings.normalised, settings.eps)

    return gradients_again(compute, ctx.saved_tensors, wanted, received)


class _MixedSum(torch.autograd.Function):
    """The compiled kernels."""

    @staticmethod
    def forward(ctx: Any, settings: _Settings, moments: native.Moments, weights: Tensor, *terms: Tensor) -> Tensor:
        own = [native.whole_planes(each) for each in terms]
        total = own[0].new_empty(own[0].shape)
        native.call("mixed_sum", total.dtype, *_arguments(settings, moments, weights, own), total)
        ctx.settings, ctx.moments = settings, moments
        ctx.save_for_backward(weights, *terms)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        received, wanted = native.whole_planes(gradient), ctx.needs_input_grad[2:]
        if torch.is_grad_enabled():
            return None, None, *_again_in_torch(ctx, gradient)
        weights, *terms = ctx.saved_tensors
        dweights = weights.new_empty(weights.shape) if wanted[0] else None
        found = [
            each.new_empty(each.shape) if is_wanted else None for each, is_wanted in zip(terms, wanted[1:], strict=True)
        ]
        terms = [native.whole_planes(each) for each in terms]
        arguments = _arguments(ctx.settings, ctx.moments, weights, terms)
        native.call("mixed_sum_gradient", received.dtype, *arguments, received, received.stride(0), found, dweights)
        return None, None, dweights, *found


def _moments(terms: Sequence[Tensor], normalised: Sequence[bool]) -> native.Moments:
    """(terms, channels) each; 0 and 1 of a term that is not normalised."""
    mean = terms[0].new_zeros(len(terms), terms[0].shape[1], dtype=torch.float64)
    variance = torch.ones_like(mean)
    rows = [k for k, is_normalised in enumerate(normalised) if is_normalised]
    if rows:
        mean[rows], variance[rows] = native.moments([terms[k] for k in rows])
    return mean, variance


def _arguments(settings: _Settings, moments: native.Moments, weights: Tensor, terms: Sequence[Tensor]) -> list[object]:
    """What both kernels take first."""
    batch, channels, features, frames = terms[0].shape
    sizes = [batch, len(terms), channels, features * frames, torch.get_num_threads()]
    normalised = (ctypes.c_int32 * len(terms))(*settings.normalised)
    strides = native.strides(terms)
    return [sizes, list(terms), strides, weights.contiguous(), normalised, *moments, settings.eps]


class _MixedSumInTorch(torch.autograd.Function):
    """The same in plain torch; term by term, so that one normalised term exists at a time."""

    @staticmethod
    def forward(ctx: Any, settings: _Settings, weights: Tensor, *terms: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        total = torch.zeros_like(full_precision(terms[0]), memory_format=torch.contiguous_format)
        mean, variance = total.new_zeros(len(terms), total.shape[1]), total.new_ones(len(terms), total.shape[1])
        for k, (term, is_normalised) in enumerate(zip(map(full_precision, terms), settings.normalised, strict=True)):
            if is_normalised:
                variance[k], mean[k] = torch.var_mean(term, dim=(0, 2, 3), correction=0)
                term = functional.batch_norm(term, None, None, training=True, eps=settings.eps)
            total.addcmul_(term, weights[k])
        ctx.settings, ctx.statistics = settings, (mean, variance)
        ctx.save_for_backward(weights, *terms)
        ctx.mark_non_differentiable(mean, variance)
        return total.to(reduce(torch.promote_types, (term.dtype for term in terms))), mean, variance

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        g, wanted = full_precision(gradients[0]), ctx.needs_input_grad[1:]
        if torch.is_grad_enabled():
            return None, *_again_in_torch(ctx, g)
        weights, *terms = ctx.saved_tensors
        mean, variance = ctx.statistics
        dweights = torch.empty_like(weights) if wanted[0] else None
        total = g.mean(dim=(0, 2, 3), keepdim=True)
        found: list[Tensor | None] = []
        for k, (term, is_normalised) in enumerate(zip(terms, ctx.settings.normalised, strict=True)):
            if not is_normalised:
                y, centred = term, g
            else:
                rstd = (variance[k] + ctx.settings.eps).rsqrt()[:, None, None]
                y = (term - mean[k][:, None, None]) * rstd
                centred = (g - total - y * (g * y).mean(dim=(0, 2, 3), keepdim=True)) * rstd if wanted[k + 1] else g
            if dweights is not None:
                dweights[k] = (g * y).sum()
            found.append((weights[k] * centred).to(term.dtype) if wanted[k + 1] else None)
        return None, dweights, *found
