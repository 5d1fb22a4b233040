"""Losses of scored clips, by which trials are compared; (clips,) and (clips, outputs) are numpy arrays."""

from __future__ import annotations

import numpy as np

LOWEST = 1e-12  # a probability that was rounded to 0 has a logarithm again


def log_losses(truth: np.ndarray, scores: np.ndarray) -> tuple[float, float]:
    """Mean cross-entropy over clips, and over classes (each class weighing the same), in nats."""
    each = -np.log(np.maximum(scores[np.arange(len(truth)), truth], LOWEST))
    by_class = [each[truth == label].mean() for label in np.unique(truth)]
    return float(each.mean()), float(np.mean(by_class))


def binary_log_losses(truth: np.ndarray, scores: np.ndarray) -> tuple[float, float]:
    """Mean binary cross-entropy over clips and labels, and over labels with and without each label alike, in nats.

    Args:
        truth: (clips, labels), 0 or 1.
        scores: (clips, labels), probabilities.
    """
    each = -np.log(np.maximum(np.where(truth > 0, scores, 1.0 - scores), LOWEST))
    halves = [
        each[truth[:, i] == side, i].mean()
        for i in range(truth.shape[1])
        for side in (0, 1)
        if (truth[:, i] == side).any()
    ]
    return float(each.mean()), float(np.mean(halves))
