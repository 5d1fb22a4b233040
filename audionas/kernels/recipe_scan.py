"""A recurrent recipe over a batch of sequences in compiled code, with gradients by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor

from audionas.kernels.gradients_again import gradients_again
from audionas.kernels.loader import library
from audionas.kernels.recipe_calls import NAMES
from audionas.kernels.recipe_pieces import RecipePieces
from audionas.kernels.recipe_plan import RecipePlan
from audionas.kernels.recipe_rows import Rows, rows_of

MOST_KEPT_BYTES = 128 * 2**20  # of one layer and direction
Plain = Callable[..., Tensor]


def can_scan(x: Tensor, parameters: Sequence[Tensor]) -> bool:
    """Whether the compiled path is there and serves: CPU tensors with numbers, all float32 or all float64.

    Transforms of functions, tracing, autocast and whoever counts operations get the path in torch.
    """
    return (
        x.is_cpu
        and x.dtype in NAMES
        and x.numel() > 0
        and all(p.dtype == x.dtype and p.is_cpu for p in parameters)
        and not torch.is_autocast_enabled("cpu")
        and not torch._C._are_functorch_transforms_active()
        and torch._C._len_torch_dispatch_stack() == 0
        and not torch.compiler.is_compiling()
        and torch._C._get_tracing_state() is None
        and library() is not None
    )


def recipe_scan(
    plan: RecipePlan,
    x: Tensor,
    lengths: Tensor | None,
    biases: Sequence[Tensor],
    weights: Sequence[Tensor],
    plain: Plain,
    *,
    is_reversed: bool = False,
) -> Tensor:
    """x (batch, frames, inputs) -> the emitted states, (batch, frames, states * hidden), 0 beyond a clip's length.

    A clip's numbers are those that it gets alone, up to the rounding of x's product with its weights. Beyond its
    length nothing is computed. Gradients of gradients come from `plain`.

    Args:
        lengths: (batch,) int64, or None where every clip fills all frames.
        biases: (hidden,), one a linear node, in the order of the nodes.
        weights: (hidden, width of the source), one a (linear node, input), in the order of the nodes.
        plain: (x, *biases, *weights) -> the same in torch.
        is_reversed: each clip runs from its last own frame to its first.
    """
    rows = rows_of(x.shape[0], x.shape[1], lengths, is_reversed)
    is_kept = torch.is_grad_enabled() and any(t.requires_grad for t in (x, *biases, *weights))
    given = (plan, rows, plain, is_kept, len(biases), x.contiguous(), *biases, *weights)
    return cast(Tensor, _RecipeScan.apply(*given))  # type: ignore[no-untyped-call]


class _RecipeScan(torch.autograd.Function):
    """States are always kept. All else that the reverse pass reads is kept up to `MOST_KEPT_BYTES`; beyond, and for a

    second reverse pass, it is computed again from the states, with the same numbers.
    """

    @staticmethod
    def forward(
        ctx: Any, plan: RecipePlan, rows: Rows, plain: Plain, is_kept: bool, n_biases: int, x: Tensor, *given: Tensor
    ) -> Tensor:
        pieces = RecipePieces(plan, rows, x, given[:n_biases], given[n_biases:])
        states, kept = pieces.forward(is_kept and pieces.n_bytes <= MOST_KEPT_BYTES)
        ctx.save_for_backward(x, states, *given)
        ctx.pieces_of, ctx.plain, ctx.n_biases, ctx.kept = (plan, rows), plain, n_biases, kept
        return rows.scatter(pieces.emitted(states))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, states, *given = ctx.saved_tensors
        wanted = ctx.needs_input_grad[5:]
        if torch.is_grad_enabled():  # somebody differentiates the gradients
            found = gradients_again(lambda own: ctx.plain(*own), [x, *given], wanted, gradients[0])
        else:
            kept, ctx.kept = ctx.kept, []
            plan, rows = ctx.pieces_of
            pieces = RecipePieces(plan, rows, x, given[: ctx.n_biases], given[ctx.n_biases :])
            found = pieces.backward(states, kept, gradients[0], wanted)
        return (None,) * 5 + tuple(found)
