"""What each task is scored by: the main measure, by which epochs and trials are chosen, and a second one beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Measure:
    """A score: its key in files, its name for people, what it is."""

    key: str
    name: str
    meaning: str


MEASURES: dict[str, tuple[Measure, Measure]] = {
    "classification": (
        Measure("ua", "UA", "UA (unweighted accuracy) is the mean of the class recalls"),
        Measure("wa", "WA", "WA (weighted accuracy) the share of right clips"),
    ),
    "multilabel": (
        Measure("map", "mAP", "mAP is the mean over labels of the average precision"),
        Measure("auc", "macro AUC", "macro AUC the mean over labels of the area under the ROC curve, chance is 0.5"),
    ),
    "regression": (
        Measure("ccc", "CCC", "CCC is Lin's concordance correlation, the mean over targets; chance is 0, exact is 1"),
        Measure("rmse", "RMSE", "RMSE the root of the mean squared error in the target's unit (lower is better)"),
    ),
}


def measures_of(record: Mapping[str, Any]) -> tuple[Measure, Measure]:
    """The measures of a `metrics.json`, or of the `data` of a `run.json`; older ones are of classifications."""
    return MEASURES.get(str(record.get("task") or "classification"), MEASURES["classification"])


def measure_of_key(key: str) -> Measure:
    """The measure that stands under a key in files."""
    return next(measure for pair in MEASURES.values() for measure in pair if measure.key == key)


def scored_by(record: Mapping[str, Any], part: str = "supernet") -> Measure:
    """The main measure of an epoch, a decision or a ranked genotype, by its key such as `supernet_ua`; UA without one.

    >>> scored_by({"supernet_ccc": 0.5}).name
    'CCC'
    """
    mains = [main for main, _ in MEASURES.values()]
    return next((main for main in mains if f"{part}_{main.key}" in record), mains[0])


def in_measure(text: str, record: Mapping[str, Any]) -> str:
    """A text about UA, about the main measure of a record's task instead.

    >>> in_measure("pooled UA over all folds", {"task": "multilabel"})
    'pooled mAP over all folds'
    """
    return text.replace("UA", measures_of(record)[0].name)
