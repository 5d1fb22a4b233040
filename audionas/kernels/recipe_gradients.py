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
        on_x: all weights on x, (linear nodes that read x, hidden, inputs), if the gradient of x is wanted.
    """

    def __init__(
        self, plan: RecipePlan, rows: Rows, x: Tensor, hidden: int, on_x: Tensor | None, wanted: Sequence[bool]
    ) -> None:
        self._plan, self._rows, self._on_x = plan, rows, on_x
        n_biases = plan.program.n_biases
        self._wanted_biases, self._wanted_weights = wanted[1 : 1 + n_biases], wanted[1 + n_biases :]
        self._of_x = x.new_empty(rows.n_rows, x.shape[2]) if wanted[0] else None
        on_input = [node.on_input for node in plan.reading]
        self._of_on_x = _Sum(x.new_empty(len(on_input), hidden, x.shape[2])) if self._is_wanted(on_input) else None
        self._of_runs = [
            (run, _Sum(x.new_empty(len(run.weights), hidden, hidden)))
            for run in plan.runs
            if self._is_wanted(run.weights)
        ]

    def add(self, frames: Frames, given: Tensor, linear: Tensor, kept: Tensor, states: Tensor) -> None:
        """Add what one piece gives: its rows of x, blocks of gradients in `linear` and kept values; and all states."""
        begin, end = self._rows.range(frames)
        of_reading = linear[: len(self._plan.reading)]
        if self._of_x is not None and self._on_x is not None:
            torch.mm(of_reading[0], self._on_x[0], out=self._of_x[begin:end])
            for block, weights in zip(of_reading[1:], self._on_x[1:], strict=True):
                self._of_x[begin:end].addmm_(block, weights)
        if self._of_on_x is not None:
            self._of_on_x.add(of_reading, given)
        here = states[:, self._rows.n_initial + begin : self._rows.n_initial + end]
        blocks = {Buffer.STATE: here, Buffer.KEPT: kept}
        for run, total in self._of_runs:
            buffer = run.source.buffer
            if buffer not in blocks:
                blocks[buffer] = self._rows.before(frames, states)
            total.add(linear[run.slot : run.slot + len(run.weights)], blocks[buffer][run.source.block])

    def found(self, biases: Sequence[Tensor], weights: Sequence[Tensor], of_blocks: Tensor) -> list[Tensor | None]:
        """Gradients of x, biases and weights; 0 for those of nodes that nothing reads, None if not wanted.

        Args:
            of_blocks: gradients of the biases, (linear nodes, hidden), in the order of blocks.
        """
        numbers = [node.bias for node in self._plan.linear]
        of_biases = dict(zip(numbers, of_blocks.unbind(), strict=True))
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
        return {
            number: block.clone() if k else block
            for block, several in zip(total.found().unbind(), numbers, strict=True)
            for k, number in enumerate(several)
        }

    def _is_wanted(self, numbers: Sequence[Sequence[int]]) -> bool:
        return any(self._wanted_weights[number] for several in numbers for number in several)


class _Sum:
    """Sums over pieces of products, in `total`, (linear nodes, hidden, width of the source)."""

    def __init__(self, total: Tensor) -> None:
        self._total, self._is_begun = total, False

    def add(self, gradients: Tensor, source: Tensor) -> None:
        """Gradients (linear nodes, rows, hidden), source (rows, width)."""
        same = source.expand(len(gradients), *source.shape)
        if self._is_begun:
            self._total.baddbmm_(gradients.mT, same)
        else:
            torch.bmm(gradients.mT, same, out=self._total)
        self._is_begun = True

    def found(self) -> Tensor:
        """The sums so far."""
        return self._total if self._is_begun else self._total.zero_()


def _in_order(found: dict[int, Tensor], given: Sequence[Tensor], wanted: Sequence[bool]) -> list[Tensor | None]:
    return [
        (found[k] if k in found else torch.zeros_like(tensor)) if is_wanted else None
        for k, (tensor, is_wanted) in enumerate(zip(given, wanted, strict=True))
    ]
