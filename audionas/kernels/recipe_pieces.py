"""A recipe over a batch, some frames at a time: one product for what x gives, then the compiled scan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from audionas.kernels.recipe_calls import n_threads, packed, scan
from audionas.kernels.recipe_gradients import Gradients
from audionas.kernels.recipe_plan import Buffer, RecipePlan
from audionas.kernels.recipe_rows import Frames, Rows

ROWS_OF_A_PIECE = 1024  # so many make products with weights fast, and still stay in a cache
MOST_KEPT_ROWS_BYTES = 32 * 2**20  # of x; more are copied out of the batch again
Piece = tuple[Tensor | None, Tensor, Tensor]  # rows of x, and blocks of Buffer.LINEAR and Buffer.KEPT


@dataclass(frozen=True)
class RecipePieces:
    """The tensors of one call, see `recipe_scan`; buffers are (blocks, rows, hidden)."""

    plan: RecipePlan
    rows: Rows
    x: Tensor
    biases: Sequence[Tensor]
    weights: Sequence[Tensor]

    @property
    def n_bytes(self) -> int:
        """Memory of all pieces, beside the states and x."""
        blocks = self.plan.n_blocks(Buffer.LINEAR) + self.plan.n_blocks(Buffer.KEPT)
        return self.rows.n_rows * blocks * self._hidden * self.x.element_size()

    def forward(self, is_kept: bool) -> tuple[Tensor, list[Piece]]:
        """All states, the initial ones first, and the pieces, if they are to be kept."""
        states = self._blocks(Buffer.STATE, self.rows.n_initial + self.rows.n_rows)
        states[:, : self.rows.n_initial] = 0.0
        matrices, kept = packed(self._on_sources, is_transposed=True), []
        for frames in self._pieces:
            piece = self._run(frames, states, matrices)
            if is_kept:
                kept.append(piece if self.x.nbytes <= MOST_KEPT_ROWS_BYTES else (None, *piece[1:]))
        return states, kept

    def emitted(self, states: Tensor) -> Tensor:
        """Of all states those that leave the cell, (rows, values)."""
        leaving = states[: self.plan.n_emitted, self.rows.n_initial :]
        return leaving[0] if len(leaving) == 1 else torch.cat(list(leaving), dim=1)

    def backward(
        self, states: Tensor, kept: list[Piece], gradient: Tensor, wanted: Sequence[bool]
    ) -> list[Tensor | None]:
        """Gradients of x, biases and weights, where wanted. Kept pieces are used up; else they are computed again."""
        on_x = self._on_x if wanted[0] else None
        gradients = Gradients(self.plan, self.rows, self.x, self._hidden, on_x, wanted)
        emitted = self.rows.gather(gradient, (0, self.rows.n_frames))
        emitted = emitted.unflatten(1, (self.plan.n_emitted, self._hidden)).transpose(0, 1).contiguous()  # type: ignore[no-untyped-call]
        carry = self._blocks(Buffer.CARRY, self.rows.n_initial).zero_()
        of_biases = self.x.new_zeros(n_threads(self.rows), len(self.plan.linear), self._hidden)
        forth = None if kept else packed(self._on_sources, is_transposed=True)
        back = packed(self._on_sources, is_transposed=False)
        for frames in reversed(self._pieces):
            given, linear, others = kept.pop() if forth is None else self._run(frames, states, forth)
            scan(self.plan, self.rows, frames, back, of_biases, linear, others, states, (carry, emitted))
            given = self.rows.gather(self.x, frames) if given is None else given
            gradients.add(frames, given, linear, others, states)
        return gradients.found(self.biases, self.weights, of_biases.sum(0))

    def _run(self, frames: Frames, states: Tensor, matrices: Tensor) -> Piece:
        begin, end = self.rows.range(frames)
        given = self.rows.gather(self.x, frames)
        linear = self._blocks(Buffer.LINEAR, end - begin)
        n = len(self.plan.reading)
        torch.bmm(given.expand(n, *given.shape), self._on_x.mT, out=linear[:n])
        kept = self._blocks(Buffer.KEPT, end - begin)
        scan(self.plan, self.rows, frames, matrices, self._bias, linear, kept, states)
        return given, linear, kept

    def _blocks(self, buffer: Buffer, n_rows: int) -> Tensor:
        return self.x.new_empty(self.plan.n_blocks(buffer), n_rows, self._hidden)

    @property
    def _hidden(self) -> int:
        return len(self.biases[0])

    @cached_property
    def _pieces(self) -> list[Frames]:
        return self.rows.pieces(ROWS_OF_A_PIECE)

    @cached_property
    def _bias(self) -> Tensor:
        return torch.cat([self.biases[node.bias] for node in self.plan.linear])

    @cached_property
    def _on_x(self) -> Tensor:
        """(linear nodes that read x, hidden, inputs)."""
        return torch.stack([self._weight(node.on_input) for node in self.plan.reading])

    @cached_property
    def _on_sources(self) -> list[Tensor]:
        """Of each product, (hidden, hidden)."""
        return [self._weight(product.weights) for product in self.plan.program.products]

    def _weight(self, numbers: Sequence[int]) -> Tensor:
        weights = [self.weights[number] for number in numbers]
        return sum(weights[1:], weights[0])
