"""The plain systems of each task, trained and tested on one outer split: scores (test clips, outputs) by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from audionas.training.functionals_svm import SVM, SVR, svm_scores
from audionas.training.plain_baselines import DURATION, LOGISTIC, MAJORITY, SHORTEST_S, plain_baselines
from audionas.training.plain_multilabel import FREQUENCIES, multilabel_systems
from audionas.training.plain_regression import MEAN, RIDGE, regression_systems


@dataclass(frozen=True)
class PlainClips:
    """All clips of a corpus as plain systems see them.

    `summaries` (clips, 2 * channels * features) float64, `durations_s` (clips,), `targets` (clips,) or (clips,
    labels), `groups` one a clip. `functionals` (clips, functionals) are not there for lack of the audio.
    """

    summaries: np.ndarray
    durations_s: np.ndarray
    targets: np.ndarray
    groups: list[str]
    labels: tuple[str, ...]
    functionals: np.ndarray | None = None


Rows = Sequence[int]
Fitted = Callable[[np.ndarray], np.ndarray]
Scores = dict[str, np.ndarray]
Systems = Callable[[PlainClips, Rows, Rows, int], Scores]


def classification_baselines(clips: PlainClips, test: Rows, train: Rows, seed: int) -> Scores:
    """Majority class, duration, logistic regression, functionals + SVM: class probabilities, one-hot of the first."""
    results = plain_baselines(
        clips.summaries, clips.durations_s, clips.targets, clips.groups, [("", test, train)], len(clips.labels), seed
    )
    found = {result.name: result.scores for result in results}
    return found | _on_functionals(clips, test, train, seed, "classification", SVM)


def multilabel_baselines(clips: PlainClips, test: Rows, train: Rows, seed: int) -> Scores:
    """Label frequencies, duration, one logistic regression a label, functionals + one SVM a label."""
    found = _predictions(clips, test, train, seed, multilabel_systems)
    return found | _on_functionals(clips, test, train, seed, "multilabel", SVM)


def regression_baselines(clips: PlainClips, test: Rows, train: Rows, seed: int) -> Scores:
    """Mean, duration, ridge regression, functionals + SVR."""
    found = _predictions(clips, test, train, seed, regression_systems)
    return found | _on_functionals(clips, test, train, seed, "regression", SVR)


BASELINES: dict[str, Systems] = {
    "classification": classification_baselines,
    "multilabel": multilabel_baselines,
    "regression": regression_baselines,
}
BASELINE_NAMES: dict[str, tuple[str, ...]] = {
    "classification": (MAJORITY, DURATION, LOGISTIC, SVM),
    "multilabel": (FREQUENCIES, DURATION, LOGISTIC, SVM),
    "regression": (MEAN, DURATION, RIDGE, SVR),
}


def _on_functionals(clips: PlainClips, test: Rows, train: Rows, seed: int, task: str, name: str) -> Scores:
    """The support vector machine's scores by its name, where there are functionals."""
    if clips.functionals is None:
        return {}
    groups = np.asarray(clips.groups, dtype=object)
    return {name: svm_scores(task, clips.functionals, clips.targets, groups, (train, test), len(clips.labels), seed)}


def _predictions(
    clips: PlainClips, test: Rows, train: Rows, seed: int, systems: Callable[..., dict[str, tuple[str, Fitted]]]
) -> Scores:
    """Predictions of the test clips (clips, outputs) by systems that are fitted on the training clips."""
    durations = np.log(np.maximum(np.asarray(clips.durations_s, dtype=np.float64), SHORTEST_S))[:, None]
    inputs = {"summaries": clips.summaries, "durations": durations}
    rows, groups = list(train), np.asarray(clips.groups, dtype=object)
    fitted = systems(clips.summaries[rows], durations[rows], clips.targets[rows], groups[rows], seed)
    return {name: predict(inputs[reads][list(test)]) for name, (reads, predict) in fitted.items()}
