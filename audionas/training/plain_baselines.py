"""Three plain systems that any reader wants beside a searched model, tested on the same outer splits.

Majority class, duration only, and logistic regression on mean + sd over time of the run's own features.
A searched model that does not beat the last has learnt little that its features did not already show.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from audionas.errors import ManifestError

MAJORITY = "majority class"
DURATION = "duration only"
LOGISTIC = "logistic regression on mean + sd of the features"
REGULARISATIONS = (0.001, 0.01, 0.1, 1.0, 10.0)
SHORTEST_S = 1e-3

Split = tuple[str, Sequence[int], Sequence[int]]


@dataclass(frozen=True)
class BaselineResult:
    """Scores of one plain system, pooled: of the confusion matrix summed over the test parts.

    `recalls` and `confusion` (rows truth, columns predicted) are in the order of the class indices; the
    recall of a class without test clips is None and does not count in `ua`. `scores` are class probabilities
    (clips, classes) float64 of all test rows, split after split; one-hot of the majority class.
    """

    name: str
    ua: float
    wa: float
    recalls: tuple[float | None, ...]
    confusion: tuple[tuple[int, ...], ...]
    scores: np.ndarray = field(compare=False, repr=False)


def summarise(feature: np.ndarray) -> np.ndarray:
    """Mean, then standard deviation, over time of each channel's features.

    Args:
        feature: (channels, features, frames), float; at least one frame.

    Returns:
        (2 * channels * features,), float64.
    """
    values = np.asarray(feature, dtype=np.float64)
    if values.ndim != 3 or values.shape[2] == 0:
        raise ManifestError(f"features of a clip: expected (channels, features, frames), got {values.shape}")
    return np.concatenate([values.mean(axis=2).ravel(), values.std(axis=2).ravel()])


def plain_baselines(
    summaries: np.ndarray,
    durations_s: np.ndarray,
    targets: np.ndarray,
    groups: list[str],
    splits: list[Split],
    n_classes: int,
    seed: int,
) -> list[BaselineResult]:
    """Train and test the three systems on given outer splits.

    Everything (scaling, class weights, C) is fitted on a split's training rows; C is chosen among
    `REGULARISATIONS` by grouped inner validation inside them.

    Args:
        summaries: (clips, 2 * channels * features), one `summarise` a clip.
        durations_s: (clips,), seconds.
        targets: (clips,), integer, class index.
        groups: (clips,), the speaker or recording of each clip.
        splits: (name, test rows, training rows) of each outer split.
        n_classes: how many classes there are, also those that no row has.
        seed: fixes the inner folds.

    Raises:
        ManifestError: the inputs differ in length, a split is empty, or a group stands on both sides of one.
    """
    _check(summaries, durations_s, targets, groups, splits)
    names = np.asarray(groups, dtype=object)
    log_durations = np.log(np.maximum(np.asarray(durations_s, dtype=np.float64), SHORTEST_S))[:, None]
    results = []
    for name, inputs, fit in (
        (MAJORITY, log_durations, _fit_majority),
        (DURATION, log_durations, _fit_duration),
        (LOGISTIC, summaries, _fit_logistic),
    ):
        confusion, scores = np.zeros((n_classes, n_classes), dtype=np.int64), []
        for _, test, train in splits:
            rows = np.asarray(train, dtype=np.int64)
            model = fit(inputs[rows], targets[rows], names[rows], seed)
            held_out = np.asarray(test, dtype=np.int64)
            np.add.at(confusion, (targets[held_out], model.predict(inputs[held_out])), 1)
            scores.append(_class_scores(model, inputs[held_out], n_classes))
        results.append(_result(name, confusion, np.concatenate(scores)))
    return results


def _check(
    summaries: np.ndarray,
    durations_s: np.ndarray,
    targets: np.ndarray,
    groups: list[str],
    splits: list[Split],
) -> None:
    lengths = {len(summaries), len(durations_s), len(targets), len(groups)}
    if len(lengths) > 1:
        raise ManifestError(
            f"baselines: {len(summaries)} summaries, {len(durations_s)} durations, {len(targets)} targets "
            f"and {len(groups)} groups; one of each a clip is needed"
        )
    for name, test, train in splits:
        if not len(test) or not len(train):
            raise ManifestError(
                f"baselines: split {name!r} has {len(test)} test and {len(train)} training clips; both are needed"
            )
        shared = sorted({groups[row] for row in test} & {groups[row] for row in train})
        if shared:
            raise ManifestError(
                f"baselines: split {name!r} has group {shared[0]!r} in test and training; keep groups whole"
            )


def _fit_majority(inputs: np.ndarray, targets: np.ndarray, _groups: np.ndarray, _seed: int) -> DummyClassifier:
    return DummyClassifier(strategy="most_frequent").fit(inputs, targets)


def _fit_duration(inputs: np.ndarray, targets: np.ndarray, _groups: np.ndarray, _seed: int) -> Pipeline:
    return _fit_scaled(inputs, targets, 1.0)


def _fit_logistic(inputs: np.ndarray, targets: np.ndarray, groups: np.ndarray, seed: int) -> Pipeline:
    return _fit_scaled(inputs, targets, choose_regularisation(inputs, targets, groups, seed))


def _fit_scaled(inputs: np.ndarray, targets: np.ndarray, regularisation: float) -> Pipeline:
    if len(np.unique(targets)) == 1:
        return make_pipeline(DummyClassifier(strategy="most_frequent")).fit(inputs, targets)
    classifier = LogisticRegression(C=regularisation, class_weight="balanced", max_iter=5000)
    return make_pipeline(StandardScaler(), classifier).fit(inputs, targets)


def choose_regularisation(inputs: np.ndarray, targets: np.ndarray, groups: np.ndarray, seed: int) -> float:
    """The C of `REGULARISATIONS` with the best pooled UA over grouped inner folds; ties go to the smallest.

    With fewer than two groups there is nothing to validate on, and C is 1.
    """
    n_folds = min(5, len(set(groups.tolist())), int(np.bincount(targets).max()))
    if n_folds < 2:
        return 1.0
    inner = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")  # rare classes are expected here
        folds = [fold for fold in inner.split(inputs, targets, groups) if all(len(part) for part in fold)]
    best, best_ua = 1.0, -1.0
    for regularisation in REGULARISATIONS:
        predicted = np.full(len(targets), -1, dtype=np.int64)
        for train, test in folds:
            model = _fit_scaled(inputs[train], targets[train], regularisation)
            predicted[test] = model.predict(inputs[test])
        ua = float(np.mean([np.mean(predicted[targets == label] == label) for label in np.unique(targets)]))
        if ua > best_ua + 1e-12:
            best, best_ua = regularisation, ua
    return best


def _class_scores(model: DummyClassifier | Pipeline, inputs: np.ndarray, n_classes: int) -> np.ndarray:
    """Probabilities of all classes (clips, classes), 0 for those that the training rows lack."""
    scores = np.zeros((len(inputs), n_classes))
    scores[:, model.classes_] = model.predict_proba(inputs)
    return scores


def _result(name: str, confusion: np.ndarray, scores: np.ndarray) -> BaselineResult:
    counts = confusion.sum(axis=1)
    recalls = tuple(float(confusion[label, label] / count) if count else None for label, count in enumerate(counts))
    present = [recall for recall in recalls if recall is not None]
    return BaselineResult(
        name=name,
        ua=float(np.mean(present)),
        wa=float(np.trace(confusion) / counts.sum()),
        recalls=recalls,
        confusion=tuple(tuple(int(count) for count in row) for row in confusion),
        scores=scores,
    )
