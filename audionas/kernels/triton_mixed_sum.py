"""A node's sum on a card, by Triton kernels: each term is read twice forward and twice back, nothing else is stored.

The terms lie wherever they were computed; eight go into one launch. What reduces over a plane is finished in torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from audionas.kernels import native, triton_use
from audionas.kernels.gradients_again import gradients_again

EIGHT = 8  # terms of a launch; fewer are filled up with the last one, so that each kernel is compiled once
BLOCK = 1024  # places at a time
SPAN = 8 * BLOCK  # places of a share
MOST_PLANES = 65_535  # of a grid's second axis
TYPES = (torch.float32, torch.bfloat16, torch.float16)

Plain = Any  # (weights, terms) -> the sum in torch


@dataclass(frozen=True)
class _Settings:
    normalised: tuple[bool, ...]
    eps: float
    plain: Plain


def can_sum(weights: Tensor, terms: Sequence[Tensor]) -> bool:
    """Whether the kernels take these terms, (batch, channels, features, frames) all of one type, and serve here."""
    first = terms[0]
    return (
        first.dtype in TYPES
        and weights.dtype == torch.float32
        and first.numel() > 0
        and first.shape[0] * max(first.shape[1], -(-first.shape[2] * first.shape[3] // SPAN)) <= MOST_PLANES
        and all(each.shape == first.shape and each.dtype == first.dtype for each in terms)
        and triton_use.serves(first.device, "mixed sums", _fault)
    )


def sum_on_card(
    weights: Tensor, terms: Sequence[Tensor], normalised: Sequence[bool], eps: float, plain: Plain
) -> tuple[Tensor, Tensor, Tensor]:
    """See `mixed_sum`; means and variances are float32."""
    settings = _Settings(tuple(normalised), eps, plain)
    own = [native.whole_planes(each.detach()) for each in terms]
    moments = _moments(own, settings)
    total: Tensor = _SumOnCard.apply(settings, moments, weights, *terms)  # type: ignore[no-untyped-call]
    return total, *moments


class _SumOnCard(torch.autograd.Function):
    """Terms and their moments are kept."""

    @staticmethod
    def forward(
        ctx: Any, settings: _Settings, moments: tuple[Tensor, Tensor], weights: Tensor, *terms: Tensor
    ) -> Tensor:
        ctx.settings, ctx.moments = settings, moments
        ctx.save_for_backward(weights, *terms)
        own = [native.whole_planes(each) for each in terms]
        mean, _ = moments
        return _total(own, weights[:, None] * _rstd(settings, moments), mean)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        wanted, settings = ctx.needs_input_grad[2:], ctx.settings
        if torch.is_grad_enabled():
            saved = ctx.saved_tensors
            again = gradients_again(lambda own: settings.plain(own[0], own[1:]), saved, wanted, gradients[0])
            return None, None, *again
        weights, *terms = ctx.saved_tensors
        own, gradient = [native.whole_planes(each) for each in terms], gradients[0].contiguous()
        (mean, _), rstd = ctx.moments, _rstd(settings, ctx.moments)
        products, alone = _gradient_sums(own, gradient, mean)
        of_weights = (rstd * products).sum(dim=1) if wanted[0] else None
        n = gradient.numel() // gradient.shape[1]
        factor = weights[:, None] * rstd
        is_normalised = _mask(settings, gradient.device)
        of_term = -factor * rstd.square() * products / n * is_normalised
        shift = -factor * alone / n * is_normalised
        found: list[Tensor | None] = [None] * len(own)
        rows = [k for k, is_wanted in enumerate(wanted[1:]) if is_wanted]
        for k, made in zip(rows, _term_gradients(own, rows, gradient, (mean, factor, of_term, shift)), strict=True):
            found[k] = made
        return None, None, of_weights, *found


def _moments(terms: Sequence[Tensor], settings: _Settings) -> tuple[Tensor, Tensor]:
    """(terms, channels) each, float32; 0 and 1 of a term that is not normalised."""
    batch, channels, features, frames = terms[0].shape
    n_pieces = -(-features * frames // SPAN)
    shares = terms[0].new_empty(_filled(len(terms)), channels, batch * n_pieces, 3, dtype=torch.float32)
    for rows in _eights(len(terms)):
        triton_use.kernels("triton_mixed_sum_source").moments[channels, batch * n_pieces](
            *_places(terms, rows), shares[rows[0] :], channels, features * frames, n_pieces, SPAN, BLOCK=BLOCK
        )
    number, mean, squares = shares[: len(terms)].unbind(-1)
    n = batch * features * frames
    whole = (number * mean).sum(-1) / n
    variance = (squares + number * (mean - whole[..., None]).square()).sum(-1) / n
    is_normalised = _mask(settings, whole.device)
    return whole * is_normalised, torch.where(is_normalised > 0, variance, 1.0)


def _total(terms: Sequence[Tensor], factors: Tensor, means: Tensor) -> Tensor:
    batch, channels, features, frames = terms[0].shape
    total = terms[0].new_empty(terms[0].shape)
    between = total if total.dtype == torch.float32 else total.new_empty(total.shape, dtype=torch.float32)
    fill = _filled(len(terms)) - len(terms)
    factors, means = (torch.nn.functional.pad(each, (0, 0, 0, fill)) for each in (factors, means))
    grid = -(-features * frames // BLOCK), batch * channels
    for rows in _eights(len(terms)):
        first, is_last = rows[0], rows[-1] == len(terms) - 1
        triton_use.kernels("triton_mixed_sum_source").weighted_sum[grid](
            *_places(terms, rows), factors[first:], means[first:], between, total if is_last else between, channels,
            features * frames, IS_FIRST=first == 0, BLOCK=BLOCK,
        )  # fmt: skip
    return total


def _gradient_sums(terms: Sequence[Tensor], gradient: Tensor, means: Tensor) -> tuple[Tensor, Tensor]:
    """Sums over batch and places of gradient * (term - mean) and of the gradient, (terms, channels) float32."""
    batch, channels, features, frames = gradient.shape
    n_pieces = -(-features * frames // SPAN)
    shares = gradient.new_empty(_filled(len(terms)), channels, batch * n_pieces, 2, dtype=torch.float32)
    means = torch.nn.functional.pad(means, (0, 0, 0, len(shares) - len(terms)))
    for rows in _eights(len(terms)):
        triton_use.kernels("triton_mixed_sum_source").gradient_sums[channels, batch * n_pieces](
            *_places(terms, rows), gradient, means[rows[0] :], shares[rows[0] :], channels, features * frames,
            n_pieces, SPAN, BLOCK=BLOCK,
        )  # fmt: skip
    products, alone = shares[: len(terms)].sum(dim=2).unbind(-1)
    return products, alone


def _term_gradients(
    terms: Sequence[Tensor], rows: Sequence[int], gradient: Tensor, tables: Sequence[Tensor]
) -> Iterator[Tensor]:
    """The gradients of the terms with these numbers; tables (mean, of gradient, of term, alone) are of all terms."""
    batch, channels, features, frames = gradient.shape
    grid = -(-features * frames // BLOCK), batch * channels
    for each in _eights(len(rows)):
        own = [rows[k] for k in each]
        made = [terms[k].new_empty(gradient.shape) for k in dict.fromkeys(own)]
        outputs = [made[min(k, len(made) - 1)] for k in range(EIGHT)]
        mean, *coefficients = (torch.stack([table[k] for k in own]) for table in tables)
        triton_use.kernels("triton_mixed_sum_source").term_gradients[grid](
            *_places(terms, own), *outputs, gradient, mean, *coefficients, channels, features * frames, BLOCK=BLOCK
        )
        yield from made


def _rstd(settings: _Settings, moments: tuple[Tensor, Tensor]) -> Tensor:
    """(terms, channels); 1 of a term that is not normalised."""
    _, variance = moments
    is_normalised = _mask(settings, variance.device)
    return torch.where(is_normalised > 0, (variance + settings.eps).rsqrt(), 1.0)


def _mask(settings: _Settings, device: torch.device) -> Tensor:
    return triton_use.constant(tuple(map(float, settings.normalised)), device)[:, None]


def _filled(n: int) -> int:
    return -(-n // EIGHT) * EIGHT


def _eights(n: int) -> Iterator[list[int]]:
    """Numbers of the terms of each launch, the last one repeated."""
    for first in range(0, n, EIGHT):
        yield [min(first + k, n - 1) for k in range(EIGHT)]


def _places(terms: Sequence[Tensor], rows: Sequence[int]) -> list[Any]:
    return [*(terms[k] for k in rows), *(terms[k].stride(0) for k in rows)]


def _fault(device: torch.device) -> str:
    """Nothing, or how the kernels differ from torch on a small case."""
    made = torch.Generator().manual_seed(0)
    terms = [torch.randn(3, 2, 5, 7, generator=made).to(device) for _ in range(9)]
    weights, normalised = torch.rand(9, generator=made).to(device), [k % 4 > 0 for k in range(9)]
    received = torch.randn(3, 2, 5, 7, generator=made).to(device)
    from audionas.kernels.mixed_sum import plain_sum

    def plain(weights: Tensor, terms: Sequence[Tensor]) -> Tensor:
        return plain_sum(weights, terms, normalised)

    ends = []
    with torch.enable_grad():
        for compute in (lambda w, t: sum_on_card(w, t, normalised, 1e-5, plain)[0], plain):
            given = [each.clone().requires_grad_() for each in (weights, *terms)]
            value = compute(given[0], given[1:])
            ends.append(torch.cat([each.flatten() for each in (value, *torch.autograd.grad(value, given, received))]))
    apart = float(((ends[0] - ends[1]).norm() / ends[1].norm()).detach())
    return "" if apart < 1e-3 else f"they are off by {apart:.1e}"
