"""Unweighted accuracy (UA), weighted accuracy (WA), class recalls, all from one confusion matrix.

UA is the mean of the class recalls; WA is accuracy. *Pooled* means: of the confusion matrix summed over
test folds. The names are those of speech emotion recognition (Sun et al. 2022, section 3.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
from sklearn.metrics import confusion_matrix


class Primary(NamedTuple):
    """The main score of a task, by which epochs and trials are chosen: its key in files, its value; more is better."""

    name: str
    value: float


class Metrics(Protocol):
    """What every step may ask of the scores of any task."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Classes, labels or targets."""
        ...

    @property
    def n_clips(self) -> int:
        """Number of clips scored."""
        ...

    @property
    def primary(self) -> Primary:
        """The main score."""
        ...

    @property
    def scores(self) -> dict[str, float]:
        """The main score and the second one, by their keys."""
        ...

    @property
    def absent_classes(self) -> tuple[str, ...]:
        """Classes or labels that no clip has."""
        ...

    def as_record(self) -> dict[str, Any]:
        """JSON form."""
        ...

    @staticmethod
    def pool(parts: Sequence[Any]) -> Any:
        """The scores of all parts' clips together."""
        ...


@dataclass(frozen=True)
class ClassificationMetrics:
    """Scores of one confusion matrix; rows are true classes, columns predicted ones."""

    labels: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]

    @property
    def n_clips(self) -> int:
        """Number of clips scored."""
        return int(np.sum(self.confusion))

    @property
    def recalls(self) -> dict[str, float]:
        """Recall of every class that has at least one clip; absent classes are left out."""
        rows = np.asarray(self.confusion, dtype=float)
        return {
            label: float(row[i] / row.sum())
            for i, (label, row) in enumerate(zip(self.labels, rows, strict=True))
            if row.sum() > 0
        }

    @property
    def absent_classes(self) -> tuple[str, ...]:
        """Classes without a clip: they count neither as 0 nor as 1."""
        present = self.recalls
        return tuple(label for label in self.labels if label not in present)

    @property
    def ua(self) -> float:
        """Mean recall over the classes present, in [0, 1]."""
        return float(np.mean(list(self.recalls.values())))

    @property
    def wa(self) -> float:
        """Share of clips predicted right, in [0, 1]."""
        return float(np.trace(np.asarray(self.confusion)) / self.n_clips)

    @property
    def primary(self) -> Primary:
        """UA."""
        return Primary("ua", self.ua)

    @property
    def scores(self) -> dict[str, float]:
        """UA and WA."""
        return {"ua": self.ua, "wa": self.wa}

    @staticmethod
    def pool(parts: Sequence[ClassificationMetrics]) -> ClassificationMetrics:
        """The confusion matrix summed over parts."""
        total = np.sum([np.asarray(part.confusion) for part in parts], axis=0)
        return ClassificationMetrics(parts[0].labels, tuple(tuple(int(n) for n in row) for row in total))

    def as_record(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "n_clips": self.n_clips,
            "ua": self.ua,
            "wa": self.wa,
            "recalls": self.recalls,
            "absent_classes": list(self.absent_classes),
            "confusion": [list(row) for row in self.confusion],
        }


def classification_metrics(truth: np.ndarray, predicted: np.ndarray, labels: Sequence[str]) -> ClassificationMetrics:
    """Metrics of predicted class indices against true ones, both (clips,) int64."""
    table = confusion_matrix(truth, predicted, labels=range(len(labels)))
    return ClassificationMetrics(tuple(labels), tuple(tuple(int(n) for n in row) for row in table))


AnyMetrics = TypeVar("AnyMetrics", bound=Metrics)


def pooled(parts: Sequence[AnyMetrics]) -> AnyMetrics:
    """Metrics over parts (test folds) together: of the confusion matrix summed, or of all their clips.

    Raises:
        ValueError: there is no part, or two parts have other labels.
    """
    if not parts or any(part.labels != parts[0].labels for part in parts):
        raise ValueError("pooling needs at least one part, all with the same labels")
    found: AnyMetrics = parts[0].pool(parts)
    return found
