"""The plain systems of each task, trained and tested on one outer split."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from audionas.training.metrics import ClassificationMetrics, Metrics
from audionas.training.multilabel_metrics import MultilabelMetrics
from audionas.training.plain_baselines import SHORTEST_S, plain_baselines
from audionas.training.plain_multilabel import multilabel_systems
from audionas.training.plain_regression import regression_systems
from audionas.training.regression_metrics import RegressionMetrics


@dataclass(frozen=True)
class PlainClips:
    """All clips of a corpus as plain systems see them.

    `summaries` (clips, 2 * channels * features) float64, `durations_s` (clips,), `targets` (clips,) or (clips,
    labels), `groups` one a clip.
    """

    summaries: np.ndarray
    durations_s: np.ndarray
    targets: np.ndarray
    groups: list[str]
    labels: tuple[str, ...]


Rows = Sequence[int]
Fitted = Callable[[np.ndarray], np.ndarray]
Systems = Callable[[PlainClips, Rows, Rows, int], dict[str, Metrics]]


def classification_baselines(clips: PlainClips, test: Rows, train: Rows, seed: int) -> dict[str, Metrics]:
    """Majority class, duration, logistic regression."""
    results = plain_baselines(
        clips.summaries, clips.durations_s, clips.targets, clips.groups, [("", test, train)], len(clips.labels), seed
    )
    return {result.name: ClassificationMetrics(clips.labels, result.confusion) for result in results}


def multilabel_baselines(clips: PlainClips, test: Rows, train: Rows, seed: int) -> dict[str, Metrics]:
    """Label frequencies, duration, one logistic regression a label."""
    found = _predictions(clips, test, train, seed, multilabel_systems)
    return {name: MultilabelMetrics(clips.labels, clips.targets[list(test)], each) for name, each in found.items()}


def regression_baselines(clips: PlainClips, test: Rows, train: Rows, seed: int) -> dict[str, Metrics]:
    """Mean, duration, ridge regression."""
    found = _predictions(clips, test, train, seed, regression_systems)
    return {name: RegressionMetrics(clips.labels, clips.targets[list(test)], each) for name, each in found.items()}


BASELINES: dict[str, Systems] = {
    "classification": classification_baselines,
    "multilabel": multilabel_baselines,
    "regression": regression_baselines,
}


def _predictions(
    clips: PlainClips, test: Rows, train: Rows, seed: int, systems: Callable[..., dict[str, tuple[str, Fitted]]]
) -> dict[str, np.ndarray]:
    """Predictions of the test clips (clips, outputs) by systems that are fitted on the training clips."""
    durations = np.log(np.maximum(np.asarray(clips.durations_s, dtype=np.float64), SHORTEST_S))[:, None]
    inputs = {"summaries": clips.summaries, "durations": durations}
    rows, groups = list(train), np.asarray(clips.groups, dtype=object)
    fitted = systems(clips.summaries[rows], durations[rows], clips.targets[rows], groups[rows], seed)
    return {name: predict(inputs[reads][list(test)]) for name, (reads, predict) in fitted.items()}
