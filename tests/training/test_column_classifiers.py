"""Classifiers of one vector a clip."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from audionas.seeding import derive
from audionas.training.column_classifiers import COLUMN_CLASSIFIERS, N_TREES, random_forest

pytestmark = pytest.mark.slow  # hundreds of trees, several times


@pytest.fixture
def vectors() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """48 clips of 8 groups in three classes that lie apart, vectors of 4."""
    rng = np.random.default_rng(0)
    targets = np.tile([0, 1, 2], 16)
    return rng.normal(size=(48, 4)) + 3 * np.eye(3, 4)[targets], targets, np.repeat([f"s{k}" for k in range(8)], 6)


@pytest.mark.parametrize("name", sorted(COLUMN_CLASSIFIERS))
def test_classes_that_lie_apart_are_told_apart(vectors: tuple[np.ndarray, np.ndarray, np.ndarray], name: str) -> None:
    x, targets, groups = vectors
    scores = COLUMN_CLASSIFIERS[name](x, targets, groups, (range(36), range(36, 48)), 3, 0)
    assert scores.shape == (12, 3)
    np.testing.assert_allclose(scores.sum(axis=1), 1.0)
    assert np.mean(scores.argmax(axis=1) == targets[36:]) > 0.8
    wild = np.concatenate([x[:36], 1e3 * x[36:]])  # what is tested changes nothing that was learnt
    again = COLUMN_CLASSIFIERS[name](wild, targets, groups, (range(36), [0, 1]), 3, 0)
    np.testing.assert_array_equal(again, COLUMN_CLASSIFIERS[name](x, targets, groups, (range(36), [0, 1]), 3, 0))


def test_the_forest_is_scikit_learn_s_and_a_class_that_no_clip_trains_has_no_score(
    vectors: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    x, targets, groups = vectors
    train = [row for row in range(36) if targets[row] != 1]
    forest = RandomForestClassifier(N_TREES, class_weight="balanced", random_state=derive(3, "random forest") % 2**32)
    expected = forest.fit(x[train], targets[train]).predict_proba(x[36:])
    found = random_forest(x, targets, groups, (train, range(36, 48)), 3, 3)
    np.testing.assert_array_equal(found[:, [0, 2]], expected)
    assert (found[:, 1] == 0).all()
