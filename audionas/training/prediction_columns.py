"""Columns of a predictions table whose clips have several labels, or numbers in place of labels.

Several labels: `label` and `predicted` (those of probability 0.5 and more) joined by `;` for people, `t:<label>` 1 or
0, `p:<label>` its probability. Regression: `t:<target>` the true and `y:<target>` the predicted number.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from audionas.audio.labels import SEPARATOR
from audionas.audio.manifest import Task
from audionas.errors import RunError

TRUTH, PROBABILITY, VALUE = "t:", "p:", "y:"
THRESHOLD = 0.5  # of what is listed as predicted; no metric uses it


def task_of_columns(table: pd.DataFrame) -> Task:
    """The task of a table, by the kinds of its columns."""
    if any(str(name).startswith(VALUE) for name in table.columns):
        return "regression"
    return "multilabel" if any(str(name).startswith(TRUTH) for name in table.columns) else "classification"


def text_columns(labels: Sequence[str], truth: np.ndarray, scores: np.ndarray) -> dict[str, list[str]]:
    """The label sets of several labels, for people."""
    sets = {"label": truth > 0, "predicted": scores >= THRESHOLD}
    return {
        name: [SEPARATOR.join(label for label, holds in zip(labels, row, strict=True) if holds) for row in table]
        for name, table in sets.items()
    }


def value_columns(task: Task, labels: Sequence[str], truth: np.ndarray, scores: np.ndarray) -> dict[str, list[str]]:
    """Truth and scores, (clips, labels) each, as text columns; float32 truth is written with the fewest digits."""
    given = VALUE if task == "regression" else PROBABILITY
    columns = {
        f"{TRUTH}{label}": [
            str(np.float32(value)) if task == "regression" else str(int(value)) for value in truth[:, i]
        ]
        for i, label in enumerate(labels)
    }
    return columns | {f"{given}{label}": [f"{score:.9g}" for score in scores[:, i]] for i, label in enumerate(labels)}


def read_values(path: Path, table: pd.DataFrame, task: Task) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Labels, truth (clips, labels) float32 and scores (clips, labels) float64 of a table.

    Raises:
        RunError: a column is missing, a cell is no finite number, or a truth of several labels is not 0 or 1.
    """
    labels = tuple(str(name)[len(TRUTH) :] for name in table.columns if str(name).startswith(TRUTH))
    given = VALUE if task == "regression" else PROBABILITY
    needed = ["clip", "group", "part", *(f"{given}{label}" for label in labels)]
    missing = [name for name in needed if name not in table.columns]
    if missing or not labels or not len(table):
        raise RunError(f"{path}: not a predictions table (missing: {', '.join(missing) or 'truth'})")
    try:
        truth = table[[f"{TRUTH}{label}" for label in labels]].to_numpy(dtype=np.float32)
        scores = table[[f"{given}{label}" for label in labels]].to_numpy(dtype=np.float64)
    except ValueError as why:
        raise RunError(f"{path}: not a predictions table (a score is no number: {why})") from why
    if not (np.isfinite(scores).all() and np.isfinite(truth).all()):
        raise RunError(f"{path}: not a predictions table (a score is not finite)")
    if task == "multilabel" and not np.isin(truth, (0.0, 1.0)).all():
        raise RunError(f"{path}: not a predictions table (a column {TRUTH}<label> holds other than 0 and 1)")
    return labels, truth, scores
