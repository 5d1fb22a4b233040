"""Average precision and area under the ROC curve of each label, and their means over labels.

mAP is the macro average: every label weighs the same, however rare. Average precision is not interpolated, the sum over
thresholds of precision times the gain in recall, as in scikit-learn; that of guessing is the share of clips that have
the label. The area is the share of pairs of a clip with and one without the label that are in the right order, half for
equal scores. Both are those of Fonseca et al., "FSD50K", 2022, section V (mAP as main measure) and of AudioSet's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.stats import rankdata

from audionas.training.metrics import Primary


def average_precisions(truth: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Average precision of each label: (labels,), nan where no clip has it.

    Args:
        truth: (clips, labels), 0 or 1.
        scores: (clips, labels), float.
    """
    order = np.argsort(-scores, axis=0, kind="stable")
    given, has = np.take_along_axis(scores, order, axis=0), np.take_along_axis(truth > 0, order, axis=0)
    is_last = np.ones(given.shape, dtype=bool)  # of its threshold: clips of equal score stand at one
    is_last[:-1] = given[1:] != given[:-1]
    place = np.where(is_last, np.arange(len(given))[:, None], len(given))
    last = np.minimum.accumulate(place[::-1], axis=0)[::-1]
    precision = np.take_along_axis(np.cumsum(has, axis=0), last, axis=0) / (last + 1)
    n = has.sum(axis=0)
    return np.asarray(np.where(n > 0, (precision * has).sum(axis=0) / np.maximum(n, 1), np.nan))


def areas(truth: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Area under the ROC curve of each label, by ranks: (labels,), nan where all clips or none have it."""
    has = truth > 0
    n, n_without = has.sum(axis=0), (~has).sum(axis=0)
    pairs = (rankdata(scores, axis=0) * has).sum(axis=0) - n * (n + 1) / 2
    return np.asarray(np.where((n > 0) & (n_without > 0), pairs / np.maximum(n * n_without, 1), np.nan))


@dataclass(frozen=True, eq=False)
class MultilabelMetrics:
    """Scores of probabilities (clips, labels) against the truth (clips, labels), 0 or 1."""

    labels: tuple[str, ...]
    truth: np.ndarray
    scores_given: np.ndarray

    @property
    def n_clips(self) -> int:
        """Number of clips scored."""
        return len(self.truth)

    @property
    def counts(self) -> dict[str, int]:
        """Clips that have each label."""
        return {label: int(n) for label, n in zip(self.labels, self.truth.sum(axis=0), strict=True)}

    @property
    def absent_classes(self) -> tuple[str, ...]:
        """Labels that no clip has: they count neither as 0 nor as 1."""
        return tuple(label for label, n in self.counts.items() if n == 0)

    @cached_property
    def average_precisions(self) -> dict[str, float]:
        """Average precision of every label that a clip has."""
        found = average_precisions(self.truth, self.scores_given)
        return {label: float(value) for label, value in zip(self.labels, found, strict=True) if np.isfinite(value)}

    @cached_property
    def aucs(self) -> dict[str, float]:
        """Area under the ROC curve of every label that some clips have and some have not."""
        found = areas(self.truth, self.scores_given)
        return {label: float(value) for label, value in zip(self.labels, found, strict=True) if np.isfinite(value)}

    @property
    def map(self) -> float:
        """Mean average precision over the labels present, in [0, 1]; 0 where none is."""
        return float(np.mean(list(self.average_precisions.values()) or [0.0]))

    @property
    def auc(self) -> float:
        """Mean area over the labels that have one, in [0, 1]; 0.5, chance, where none has."""
        return float(np.mean(list(self.aucs.values()) or [0.5]))

    @property
    def primary(self) -> Primary:
        """mAP."""
        return Primary("map", self.map)

    @property
    def scores(self) -> dict[str, float]:
        """mAP and macro AUC."""
        return {"map": self.map, "auc": self.auc}

    def as_record(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "n_clips": self.n_clips,
            **self.scores,
            "average_precisions": self.average_precisions,
            "aucs": self.aucs,
            "counts": self.counts,
            "absent_classes": list(self.absent_classes),
        }

    @staticmethod
    def pool(parts: Sequence[MultilabelMetrics]) -> MultilabelMetrics:
        """Scores of the clips of all parts together."""
        truth, given = ([getattr(part, name) for part in parts] for name in ("truth", "scores_given"))
        return MultilabelMetrics(parts[0].labels, np.concatenate(truth), np.concatenate(given))
