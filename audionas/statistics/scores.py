"""What systems are compared by: a score of truth and predictions, which score a task has, and its bounds.

A score is taken over all rows that are left or drawn, never averaged over folds or clips, because UA, mAP and CCC are
not linear in them. Scores of confusion counts have a fast path: the counts of groups are summed, then scored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from audionas.errors import SettingsError, unknown
from audionas.training.metrics import classification_metrics
from audionas.training.tasks import TASKS

OfRows = Callable[[np.ndarray, np.ndarray, Sequence[str]], float]
OfConfusion = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Score:
    """A score; more is better, but of RMSE, which decides nothing.

    Attributes:
        name: as in `metrics.json`, lower case.
        of_rows: the score of truth (clips, ...), scores (clips, outputs) and labels.
        of_confusion: the same of confusion counts (..., classes, classes), float64, rows are true classes -> (...);
            None where it is no function of them.
        bounds: the least and the largest value that it can have.
    """

    name: str
    of_rows: OfRows
    of_confusion: OfConfusion | None = None
    bounds: tuple[float, float] = (0.0, 1.0)

    @property
    def is_of_counts(self) -> bool:
        """Whether it has the fast path."""
        return self.of_confusion is not None


def _ua_of_rows(truth: np.ndarray, scores: np.ndarray, labels: Sequence[str]) -> float:
    return classification_metrics(truth, scores.argmax(axis=1), labels).ua


def _wa_of_rows(truth: np.ndarray, scores: np.ndarray, labels: Sequence[str]) -> float:
    return classification_metrics(truth, scores.argmax(axis=1), labels).wa


def _ua_of_confusion(confusion: np.ndarray) -> np.ndarray:
    """Mean recall over the classes present."""
    totals = confusion.sum(axis=-1)
    right = np.diagonal(confusion, axis1=-2, axis2=-1)
    recalls = np.divide(right, totals, out=np.zeros_like(right, dtype=np.float64), where=totals > 0)
    return np.asarray(recalls.sum(axis=-1) / (totals > 0).sum(axis=-1))


def _wa_of_confusion(confusion: np.ndarray) -> np.ndarray:
    """Share of clips predicted right."""
    return np.asarray(np.trace(confusion, axis1=-2, axis2=-1) / confusion.sum(axis=(-2, -1)))


def _of_task(task: str) -> OfRows:
    """The main score of a task, as its seam computes it."""

    def of_rows(truth: np.ndarray, scores: np.ndarray, labels: Sequence[str]) -> float:
        return TASKS[task].metrics(truth, scores, labels).primary.value

    return of_rows


def _second_of_task(task: str, key: str) -> OfRows:
    def of_rows(truth: np.ndarray, scores: np.ndarray, labels: Sequence[str]) -> float:
        return TASKS[task].metrics(truth, scores, labels).scores[key]

    return of_rows


UA = Score("ua", _ua_of_rows, _ua_of_confusion)
WA = Score("wa", _wa_of_rows, _wa_of_confusion)
MAP = Score("map", _of_task("multilabel"))
AUC = Score("auc", _second_of_task("multilabel", "auc"))
CCC = Score("ccc", _of_task("regression"), bounds=(-1.0, 1.0))
RMSE = Score("rmse", _second_of_task("regression", "rmse"), bounds=(0.0, np.inf))
TASK_SCORES = {"classification": UA, "multilabel": MAP, "regression": CCC}
SECOND_SCORES = {"classification": WA, "multilabel": AUC, "regression": RMSE}


def score_of(task: str) -> Score:
    """The score that decides in a task, named as in a manifest.

    Raises:
        SettingsError: the task has none.
    """
    if task not in TASK_SCORES:
        raise SettingsError(f"no score to compare systems by: {unknown('task', task, TASK_SCORES)}")
    return TASK_SCORES[task]


def second_score_of(task: str) -> Score:
    """The score that stands beside the one that decides: WA, macro AUC or RMSE."""
    return SECOND_SCORES[task]
