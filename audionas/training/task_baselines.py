"""The plain systems of each task, trained and tested on one outer split: scores (test clips, outputs) by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from audionas.training.plain_baselines import DURATION, LOGISTIC, MAJORITY, SHORTEST_S, plain_baselines
from audionas.training.plain_multilabel import FREQUENCIES, multilabel_systems
from audionas.training.plain_regression import MEAN, RIDGE, regression_systems


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
Scores = dict[str, np.ndarray]
Systems = Callable[[PlainClips, Rows, Rows, int], Scores]


def classification_baselines(clips: PlainClips, test: Rows, train: Rows, seed: int) -> Scores:
    """Majority class, duration, logistic regression: class probabilities, one-hot of the first."""
    results = plain_baselines(
        clips.summaries, clips.durations_s, clips.targets, clips.groups, [("", test, train)], len(clips.labels), seed
    )
    return {result.name: result.scores for result in results}


def multilabel_baselines(clips: PlainClips, test: Rows, train: Rows, seed: int) -> Scores:
    """Label frequencies, duration, one logistic regression a label."""
    return _predictions(clips, test, train, seed, multilabel_systems)


def regression_baselines(clips: PlainClips, test: Rows, train: Rows, seed: int) -> Scores:
    """Mean, duration, ridge regression."""
    return _predictions(clips, test, train, seed, regression_systems)


BASELINES: dict[str, Systems] = {
    "classification": classification_baselines,
    "multilabel": multilabel_baselines,
    "regression": regression_baselines,
}
BASELINE_NAMES: dict[str, tuple[str, str, str]] = {
    "classification": (MAJORITY, DURATION, LOGISTIC),
    "multilabel": (FREQUENCIES, DURATION, LOGISTIC),
    "regression": (MEAN, DURATION, RIDGE),
}


def _predictions(
    clips: PlainClips, test: Rows, train: Rows, seed: int, systems: Callable[..., dict[str, tuple[str, Fitted]]]
) -> Scores:
    """Predictions of the test clips (clips, outputs) by systems that are fitted on the training clips."""
    durations = np.log(np.maximum(np.asarray(clips.durations_s, dtype=np.float64), SHORTEST_S))[:, None]
    inputs = {"summaries": clips.summaries, "durations": durations}
    rows, groups = list(train), np.asarray(clips.groups, dtype=object)
    fitted = systems(clips.summaries[rows], durations[rows], clips.targets[rows], groups[rows], seed)
    return {name: predict(inputs[reads][list(test)]) for name, (reads, predict) in fitted.items()}
