"""Gradients of a recipe's input and parameters, once the scan has left each linear node's gradient in its block."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from audionas.kernels.recipe_plan import Buffer, RecipePlan
from audionas.kernels.recipe_rows import Frames, Rows


class Gradients:
    """Sums over pieces; `wanted` says of x, each bias and each weight whether its gradient is asked for.

    Args:
        on_x: all weights on x, (linear nodes that read x * hidden, inputs), if the gradient of x is wanted.
    """

    def __init__(
        self, plan: RecipePlan, rows: Rows, x: Tensor, hidden: int, on_x: Tensor | None, wanted: Sequence[bool]
    ) -> None:
        self._plan, self._rows, self._hidden, self._on_x = plan, rows, hidden, on_x
        n_biases = plan.program.n_biases
        self._wanted_biases, self._wanted_weights = wanted[1 : 1 + n_biases], wanted[1 + n_biases :]
        self._of_x = x.new_empty(rows.n_rows, x.shape[2]) if wanted[0] else None
        on_input = [node.on_input for node in plan.reading]
        self._of_on_x = _Sum(x, len(on_input) * hidden, x.shape[2]) if self._is_wanted(on_input) else None
        self._of_runs = [
            (run, _Sum(x, len(run.weights) * hidden, hidden)) for run in plan.runs if self._is_wanted(run.weights)
        ]

    def add(self, frames: Frames, given: Tensor, linear: Tensor, kept: Tensor, states: Tensor) -> None:
        """Add what one piece gives: its rows of x, of gradients in `linear`, of kept values, and all states."""
        begin, end = self._rows.range(frames)
        of_reading = self._block(linear, 0, len(self._plan.reading))
        if self._of_x is not None and self._on_x is not None:
            torch.mm(of_reading, self._on_x, out=self._of_x[begin:end])
        if self._of_on_x is not None:
            self._of_on_x.add(of_reading, given)
        here = states[self._rows.n_initial :][begin:end]
        rows = {Buffer.STATE: here, Buffer.KEPT: kept}
        for run, total in self._of_runs:
            buffer = run.source.buffer
            if buffer not in rows:
                rows[buffer] = self._rows.before(frames, states)
            source = self._block(rows[buffer], run.source.block)
            total.add(self._block(linear, run.slot, len(run.weights)), source)

    def found(self, biases: Sequence[Tensor], weights: Sequence[Tensor], of_blocks: Tensor) -> list[Tensor | None]:
        """Gradients of x, biases and weights; 0 for those of nodes that nothing reads, None if not wanted.

        Args:
            of_blocks: gradients of the biases, in the order of blocks.
        """
        numbers = [node.bias for node in self._plan.linear]
        of_biases = dict(zip(numbers, of_blocks.view(len(numbers), -1).unbind(), strict=True))
        of_weights = self._of_weights([node.on_input for node in self._plan.reading], self._of_on_x)
        for run, total in self._of_runs:
            of_weights |= self._of_weights(run.weights, total)
        return [
            None if self._of_x is None else self._rows.scatter(self._of_x),
            *_in_order(of_biases, biases, self._wanted_biases),
            *_in_order(of_weights, weights, self._wanted_weights),
        ]

    def _of_weights(self, numbers: Sequence[Sequence[int]], total: _Sum | None) -> dict[int, Tensor]:
        """Gradients by the numbers of weights; several weights of a node on one source have copies of one."""
        if total is None:
            return {}
        blocks = total.found().view(len(numbers), self._hidden, -1).unbind()
        return {
            number: block.clone() if k else block
            for block, several in zip(blocks, numbers, strict=True)
            for k, number in enumerate(several)
        }

    def _is_wanted(self, numbers: Sequence[Sequence[int]]) -> bool:
        return any(self._wanted_weights[number] for several in numbers for number in several)

    def _block(self, rows: Tensor, first: int, n: int = 1) -> Tensor:
        return rows[:, first * self._hidden : (first + n) * self._hidden]


class _Sum:
    """Sum of products over pieces, (n, width of the source)."""

    def __init__(self, like: Tensor, n: int, width: int) -> None:
        self._total, self._is_begun = like.new_empty(n, width), False

    def add(self, gradients: Tensor, source: Tensor) -> None:
        if self._is_begun:
            self._total.addmm_(gradients.t(), source)
        else:
            torch.mm(gradients.t(), source, out=self._total)
        self._is_begun = True

    def found(self) -> Tensor:
        return self._total if self._is_begun else self._total.zero_()


def _in_order(found: dict[int, Tensor], given: Sequence[Tensor], wanted: Sequence[bool]) -> list[Tensor | None]:
    return [
        (found[k] if k in found else torch.zeros_like(tensor)) if is_wanted else None
        for k, (tensor, is_wanted) in enumerate(zip(given, wanted, strict=True))
    ]
