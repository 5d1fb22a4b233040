"""Augmented copies beside the clips themselves: one numbering of rows for both, and who may be drawn for whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np


class FeatureRows(Protocol):
    """Features by row: each (channels, features, frames) float32, frames may differ."""

    def __getitem__(self, row: int) -> np.ndarray: ...
    def __len__(self) -> int: ...


@dataclass(frozen=True)
class CopyTable:
    """Rows 0 to `n_rows` - 1 are the clips; then come, copy after copy, the copies of `copied`.

    Only the copied rows can be replaced by a copy: a row of a test, validation or monitor part stays itself.
    """

    n_rows: int
    copied: tuple[int, ...]
    n_copies: int

    def draw(self, rows: Sequence[int], rng: np.random.Generator) -> list[int]:
        """For each row itself or one of its copies, each equally likely."""
        position = {row: i for i, row in enumerate(self.copied)}
        drawn = rng.integers(0, self.n_copies + 1, size=len(rows)).tolist()
        return [
            self.n_rows + (copy - 1) * len(self.copied) + position[row] if copy and row in position else row
            for row, copy in zip(rows, drawn, strict=True)
        ]


class StackedRows:
    """Features of several corpora as one, row after row: each (channels, features, frames) float32."""

    def __init__(self, parts: Sequence[FeatureRows]) -> None:
        self._parts = parts
        self._starts = np.cumsum([0, *(len(part) for part in parts)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, row: int) -> np.ndarray:
        part = int(np.searchsorted(self._starts, row, side="right")) - 1
        return self._parts[part][row - int(self._starts[part])]
