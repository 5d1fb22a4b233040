"""A recipe over a batch, some frames at a time: the products of x, then the compiled scan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from audionas.kernels.recipe_calls import input_products, packed, scan
from audionas.kernels.recipe_gradients import Gradients
from audionas.kernels.recipe_plan import Buffer, RecipePlan
from audionas.kernels.recipe_rows import Frames, Rows

ROWS_OF_A_PIECE = 2048  # 1024 took up to 7 % longer; more take more memory
Piece = tuple[Tensor, Tensor]  # blocks of Buffer.LINEAR and Buffer.KEPT


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
        matrices, kept = self._matrices, []
        for frames in self._pieces:
            piece = self._run(frames, states, matrices)
            if is_kept:
                kept.append(piece)
        return states, kept

    def emitted(self, states: Tensor) -> Tensor:
        """Of all states those that leave the cell, (rows, values)."""
        leaving = states[: self.plan.n_emitted, self.rows.n_initial :]
        return leaving[0] if len(leaving) == 1 else torch.cat(list(leaving), dim=1)

    def backward(
        self, states: Tensor, kept: list[Piece], gradient: Tensor, wanted: Sequence[bool]
    ) -> list[Tensor | None]:
        """Gradients of x, biases and weights, where wanted. Kept pieces are used up; else they are computed again."""
        on_x = packed(self._on_x, is_transposed=False) if wanted[0] else None
        gradients = Gradients(self.plan, self.rows, self.x, self._hidden, on_x, wanted)
        emitted = self.rows.gather(gradient, (0, self.rows.n_frames))
        emitted = emitted.unflatten(1, (self.plan.n_emitted, self._hidden)).transpose(0, 1).contiguous()  # type: ignore[no-untyped-call]
        carry = self._blocks(Buffer.CARRY, self.rows.n_initial).zero_()
        forth = None if kept else self._matrices
        back = packed(self._on_sources, is_transposed=False)
        for frames in reversed(self._pieces):
            linear, others = kept.pop() if forth is None else self._run(frames, states, forth)
            scan(self.plan, self.rows, frames, back, self._bias, linear, others, states, (carry, emitted))
            gradients.add(frames, linear, others, states)
        return gradients.found(self.biases, self.weights)

    def _run(self, frames: Frames, states: Tensor, matrices: tuple[Tensor, Tensor]) -> Piece:
        begin, end = self.rows.range(frames)
        linear, kept = self._blocks(Buffer.LINEAR, end - begin), self._blocks(Buffer.KEPT, end - begin)
        input_products(self.rows, frames, self.x, matrices[0], self._bias, linear)
        scan(self.plan, self.rows, frames, matrices[1], self._bias, linear, kept, states)
        return linear, kept

    @property
    def _matrices(self) -> tuple[Tensor, Tensor]:
        """Weights on x and on other sources, packed for the way forward."""
        return packed(self._on_x, is_transposed=True), packed(self._on_sources, is_transposed=True)

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
    def _on_x(self) -> list[Tensor]:
        """Of each linear node that reads x, (hidden, inputs)."""
        return [self._weight(node.on_input) for node in self.plan.reading]

    @cached_property
    def _on_sources(self) -> list[Tensor]:
        """Of each product, (hidden, hidden)."""
        return [self._weight(product.weights) for product in self.plan.program.products]

    def _weight(self, numbers: Sequence[int]) -> Tensor:
        weights = [self.weights[number] for number in numbers]
        return sum(weights[1:], weights[0])
