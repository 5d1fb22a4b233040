"""Plain systems of several labels: one logistic regression a label, as scikit-learn's alone."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from audionas.training.plain_multilabel import DURATION, FREQUENCIES, LOGISTIC, multilabel_systems

RNG = np.random.default_rng(0)
SUMMARIES = RNG.normal(size=(40, 3))
DURATIONS = RNG.normal(size=(40, 1))
TARGETS = np.column_stack([SUMMARIES[:, 0] > 0, RNG.random(40) < 0.3, np.ones(40), np.zeros(40)]).astype(np.float32)
GROUPS = np.array([f"g{i % 8}" for i in range(40)], dtype=object)


def test_each_label_has_its_own_regression_and_a_label_of_all_or_none_is_a_constant() -> None:
    systems = multilabel_systems(SUMMARIES, DURATIONS, TARGETS, GROUPS, 0)
    assert [(name, reads) for name, (reads, _) in systems.items()] == [
        (FREQUENCIES, "durations"), (DURATION, "durations"), (LOGISTIC, "summaries"),
    ]  # fmt: skip
    assert systems[FREQUENCIES][1](DURATIONS[:2]) == pytest.approx(np.tile(TARGETS.mean(axis=0), (2, 1)))
    found = systems[DURATION][1](DURATIONS[:5])
    scaler = StandardScaler().fit(DURATIONS)
    for i in (0, 1):
        model = LogisticRegression(class_weight="balanced", max_iter=5000).fit(
            scaler.transform(DURATIONS), TARGETS[:, i]
        )
        assert found[:, i] == pytest.approx(model.predict_proba(scaler.transform(DURATIONS[:5]))[:, 1])
    assert found[:, 2:].tolist() == [[1.0, 0.0]] * 5


def test_the_features_tell_the_label_that_is_in_them() -> None:
    found = multilabel_systems(SUMMARIES, DURATIONS, TARGETS, GROUPS, 0)[LOGISTIC][1](SUMMARIES)
    assert ((found[:, 0] > 0.5) == (TARGETS[:, 0] > 0)).mean() > 0.9
