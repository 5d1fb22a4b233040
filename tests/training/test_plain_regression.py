"""Plain systems of numbers: the training mean, and ridge regression by its normal equations."""

from __future__ import annotations

import numpy as np
import pytest

from audionas.training.plain_regression import DURATION, MEAN, RIDGE, regression_systems

RNG = np.random.default_rng(0)
SUMMARIES = RNG.normal(size=(40, 3))
DURATIONS = RNG.normal(size=(40, 1))
TARGETS = np.column_stack([2 * SUMMARIES[:, 0] + 7, RNG.normal(size=40)])
GROUPS = np.array([f"g{i % 8}" for i in range(40)], dtype=object)


def test_the_mean_and_a_ridge_of_penalty_1_on_duration() -> None:
    systems = regression_systems(SUMMARIES, DURATIONS, TARGETS, GROUPS, 0)
    assert systems[MEAN][1](DURATIONS[:2]) == pytest.approx(np.tile(TARGETS.mean(axis=0), (2, 1)))
    x = (DURATIONS - DURATIONS.mean()) / DURATIONS.std()
    slope = (x.T @ (TARGETS - TARGETS.mean(axis=0))) / (float((x**2).sum()) + 1.0)
    assert systems[DURATION][1](DURATIONS) == pytest.approx(x @ slope + TARGETS.mean(axis=0))


def test_the_features_tell_the_target_that_is_in_them() -> None:
    reads, predict = regression_systems(SUMMARIES, DURATIONS, TARGETS[:, :1], GROUPS, 0)[RIDGE]
    assert reads == "summaries"
    assert predict(SUMMARIES)[:, 0] == pytest.approx(TARGETS[:, 0], abs=0.1)
