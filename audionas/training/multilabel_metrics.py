"""Average precision and area under the ROC curve of each label, and their means over labels.

mAP is the macro average: every label weighs the same, however rare. Average precision is not interpolated, the sum over
thresholds of precision times the gain in recall, as in scikit-learn; that of guessing is the share of clips that have
the label. Both are those of Fonseca et al., "FSD50K", 2022, section V (mAP as main measure) and of AudioSet's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from audionas.training.metrics import Primary


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
        return {
            label: float(average_precision_score(self.truth[:, i], self.scores_given[:, i]))
            for i, label in enumerate(self.labels)
            if self.truth[:, i].any()
        }

    @cached_property
    def aucs(self) -> dict[str, float]:
        """Area under the ROC curve of every label that some clips have and some have not."""
        return {
            label: float(roc_auc_score(self.truth[:, i], self.scores_given[:, i]))
            for i, label in enumerate(self.labels)
            if 0 < self.truth[:, i].sum() < self.n_clips
        }

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
