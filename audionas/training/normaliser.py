"""Normalisation of features with statistics of training clips only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from audionas.training.clip_copies import FeatureRows


@dataclass(frozen=True)
class Normaliser:
    """Mean and standard deviation, (channels, features, 1) float32 each (or (1, 1, 1) when global).

    `rows` are those that they were taken over; none without normalisation.
    """

    mean: np.ndarray
    std: np.ndarray
    rows: tuple[int, ...] = ()

    @staticmethod
    def fit(
        features: FeatureRows, rows: Sequence[int], mode: str, lengths: np.ndarray | None = None, frames: int = 0
    ) -> Normaliser:
        """Statistics of the training rows; `mode` is per_feature, global or none.

        With `lengths` (rows of the corpus,), only so many frames of each row count: the others are padding. Without
        them padding counts: a row that is stored shorter than `frames` counts as filled up with zeros.
        """
        if mode == "none":
            one = np.ones((1, 1, 1), np.float32)
            return Normaliser(0 * one, one)
        axes = (2,) if mode == "per_feature" else (0, 1, 2)
        count, total, squares = 0, np.zeros(()), np.zeros(())
        for row in rows:
            own = features[row] if lengths is None else features[row][:, :, : lengths[row]]
            block = np.asarray(own, dtype=np.float64)
            padding = max(0, frames - block.shape[2]) if lengths is None else 0
            n_frames = block.shape[2] + padding
            count += block.shape[0] * block.shape[1] * n_frames if mode == "global" else n_frames
            total = total + block.sum(axis=axes, keepdims=True)
            squares = squares + (block**2).sum(axis=axes, keepdims=True)
        mean = total / count
        std = np.sqrt(np.maximum(squares / count - mean**2, 1e-10))
        return Normaliser(mean.astype(np.float32), std.astype(np.float32), tuple(rows))

    def __call__(self, block: np.ndarray) -> np.ndarray:
        """(..., channels, features, frames) -> the same, standardised."""
        return np.asarray((block - self.mean) / self.std, dtype=np.float32)
