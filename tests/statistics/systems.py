"""Small systems whose predictions are known, for the tests of statistics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from audionas.statistics.scores import UA, Score
from audionas.statistics.system import System
from audionas.training.predictions import Predictions


def predictions(truth: Sequence[int], groups: Sequence[str], predicted: Sequence[int], n_classes: int) -> Predictions:
    """One seed's predictions, all of the score on one class."""
    labels = tuple(f"class {i}" for i in range(n_classes))
    clips = tuple(f"clip {i:04}" for i in range(len(truth)))
    return Predictions(clips, tuple(groups), np.array(truth), np.eye(n_classes)[list(predicted)], labels)


def toy(
    seed: int = 0, *, n_groups: int = 6, n_seeds: int = 3, n_classes: int = 3, skill: float = 0.4, score: Score = UA
) -> System:
    """About 12 clips a group; the corpus is the same for all seeds of chance and skills, the predictions are not."""
    corpus = np.random.default_rng(100)
    owner = np.sort(corpus.integers(0, n_groups, 12 * n_groups))
    truth = corpus.integers(0, n_classes, len(owner))
    groups = [f"s{i:02}" for i in owner]
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(n_seeds):
        guess = rng.integers(0, n_classes, len(owner))
        predicted = np.where(rng.random(len(owner)) < skill, truth, guess)
        found.append(predictions(truth.tolist(), groups, predicted.tolist(), n_classes))
    return System(f"toy {seed}", tuple(found), score)


def ua(system: System, rows: np.ndarray | None = None) -> float:
    """Mean recall of the classes present, mean over seeds, written out."""
    each = []
    for found in system.seeds:
        kept = np.arange(len(found.truth)) if rows is None else rows
        truth, predicted = found.truth[kept], found.scores[kept].argmax(axis=1)
        each.append(np.mean([np.mean(predicted[truth == c] == c) for c in np.unique(truth)]))
    return float(np.mean(each))


def slow(system: System) -> System:
    """The same without the fast path of confusion counts."""
    return replace(system, score=replace(system.score, of_confusion=None))
