"""UA and WA of rows and of confusion counts are the same, and scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from audionas.errors import SettingsError
from audionas.statistics.scores import UA, WA, Score, score_of
from tests.statistics.systems import toy


@pytest.mark.parametrize("score", [UA, WA], ids=["ua", "wa"])
def test_a_score_of_counts_is_that_of_the_rows(score: Score) -> None:
    system = toy(n_classes=4, n_seeds=1)
    found = system.seeds[0]
    predicted = found.scores.argmax(axis=1)
    other = balanced_accuracy_score(found.truth, predicted) if score is UA else np.mean(predicted == found.truth)
    assert score.of_rows(found.truth, found.scores, found.labels) == pytest.approx(other, abs=1e-12)
    assert score.of_confusion is not None
    assert score.of_confusion(system.counts.sum(axis=0))[0] == pytest.approx(other, abs=1e-12)


def test_a_class_without_clips_counts_neither_as_0_nor_as_1() -> None:
    assert UA.of_confusion is not None
    assert UA.of_confusion(np.array([[3.0, 1.0], [0.0, 0.0]])) == 0.75


def test_a_task_has_one_score_and_an_unknown_one_is_refused() -> None:
    assert score_of("classification") is UA
    with pytest.raises(SettingsError, match="no score to compare systems by: unknown task 'ranking'; known: class"):
        score_of("ranking")
