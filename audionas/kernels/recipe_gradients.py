"""Gradients of a recipe's input and parameters, once the scan has left each linear node's gradient in its block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import torch
from torch import Tensor

from audionas.kernels.recipe_calls import Source, add_gradients, input_gradients
from audionas.kernels.recipe_plan import Buffer, RecipePlan
from audionas.kernels.recipe_rows import Frames, Rows


class Gradients:
    """Sums over pieces; `wanted` says of x, each bias and each weight whether its gradient is asked for.

    Args:
        on_x: all weights on x, packed for the way back, if the gradient of x is wanted.
    """

    def __init__(
        self, plan: RecipePlan, rows: Rows, x: Tensor, hidden: int, on_x: Tensor | None, wanted: Sequence[bool]
    ) -> None:
        self._plan, self._rows, self._x, self._on_x = plan, rows, x, on_x
        n_biases = plan.program.n_biases
        self._wanted_biases, self._wanted_weights = wanted[1 : 1 + n_biases], wanted[1 + n_biases :]
        self._of_x = x.new_empty(rows.n_rows, x.shape[2]) if wanted[0] else None
        on_input = [node.on_input for node in plan.reading]
        self._of_on_x = x.new_empty(len(on_input), hidden, x.shape[2]) if self._is_wanted(on_input) else None
        self._of_runs = [
            (run, x.new_empty(len(run.weights), hidden, hidden)) for run in plan.runs if self._is_wanted(run.weights)
        ]
        self._of_biases = x.new_zeros(len(plan.linear), hidden)
        self._is_begun = False

    def add(self, frames: Frames, linear: Tensor, kept: Tensor, states: Tensor) -> None:
        """Add what one piece gives: blocks of gradients in `linear`, and kept values; and all states."""
        begin, end = self._rows.range(frames)
        if self._of_x is not None and self._on_x is not None:
            input_gradients(linear[: len(self._plan.reading)], self._on_x, self._of_x[begin:end])
        if any((*self._wanted_biases, *self._wanted_weights)):
            add_gradients(linear, list(self._sources(frames, kept, states)), self._of_biases, self._is_begun)
        self._is_begun = True

    def _sources(self, frames: Frames, kept: Tensor, states: Tensor) -> Iterator[Source]:
        begin, end = self._rows.range(frames)
        if self._of_on_x is not None:
            yield Source(self._x, self._rows.places[begin:end], list(enumerate(self._of_on_x)))
        here = states[:, self._rows.n_initial + begin : self._rows.n_initial + end]
        blocks = {Buffer.STATE: here, Buffer.KEPT: kept}
        for place, runs in groupby(self._of_runs, key=lambda run: run[0].source):
            if place.buffer not in blocks:
                blocks[place.buffer] = self._rows.before(frames, states)
            targets = [each for run, total in runs for each in enumerate(total, start=run.slot)]
            yield Source(blocks[place.buffer][place.block], None, targets)

    def found(self, biases: Sequence[Tensor], weights: Sequence[Tensor]) -> list[Tensor | None]:
        """Gradients of x, biases and weights; 0 for those of nodes that nothing reads, None if not wanted."""
        numbers = [node.bias for node in self._plan.linear]
        of_biases = dict(zip(numbers, self._of_biases.unbind(), strict=True))
        of_weights = self._of_weights([node.on_input for node in self._plan.reading], self._of_on_x)
        for run, total in self._of_runs:
            of_weights |= self._of_weights(run.weights, total)
        return [
            None if self._of_x is None else self._rows.scatter(self._of_x),
            *_in_order(of_biases, biases, self._wanted_biases),
            *_in_order(of_weights, weights, self._wanted_weights),
        ]

    def _of_weights(self, numbers: Sequence[Sequence[int]], total: Tensor | None) -> dict[int, Tensor]:
        """Gradients by the numbers of weights; several weights of a node on one source have copies of one."""
        if total is None:
            return {}
        if not self._is_begun:
            total.zero_()
        return {
            number: block.clone() if k else block
            for block, several in zip(total.unbind(), numbers, strict=True)
            for k, number in enumerate(several)
        }

    def _is_wanted(self, numbers: Sequence[Sequence[int]]) -> bool:
        return any(self._wanted_weights[number] for several in numbers for number in several)


def _in_order(found: dict[int, Tensor], given: Sequence[Tensor], wanted: Sequence[bool]) -> list[Tensor | None]:
    return [
        (found[k] if k in found else torch.zeros_like(tensor)) if is_wanted else None
        for k, (tensor, is_wanted) in enumerate(zip(given, wanted, strict=True))
    ]
