"""UA and WA of rows and of confusion counts are the same, and scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, balanced_accuracy_score, roc_auc_score

from audionas.errors import SettingsError
from audionas.statistics.scores import UA, WA, Score, score_of, second_score_of
from audionas.training.tasks import TASKS
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
    assert [(score_of(task).name, second_score_of(task).name) for task in TASKS] == [
        ("ua", "wa"), ("map", "auc"), ("ccc", "rmse")
    ]  # fmt: skip
    with pytest.raises(SettingsError, match="no score to compare systems by: unknown task 'ranking'; known: class"):
        score_of("ranking")


def test_scores_of_labels_are_scikit_learns_ties_included() -> None:
    rng = np.random.default_rng(0)
    truth, scores = (rng.random((40, 3)) < 0.4).astype(np.float32), rng.random((40, 3)).round(1)
    main, second = score_of("multilabel"), second_score_of("multilabel")
    assert main.of_rows(truth, scores, "abc") == pytest.approx(average_precision_score(truth, scores), abs=1e-12)
    assert second.of_rows(truth, scores, "abc") == pytest.approx(roc_auc_score(truth, scores), abs=1e-12)


def test_scores_of_numbers_are_the_formulas() -> None:
    truth, given = np.array([[1.0], [2.0], [3.0], [6.0]]), np.array([[2.0], [2.0], [4.0], [4.0]])
    x, y = truth[:, 0], given[:, 0]
    ccc = 2 * np.cov(x, y, ddof=0)[0, 1] / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)
    assert score_of("regression").of_rows(truth, given, "a") == pytest.approx(ccc, abs=1e-12)
    assert second_score_of("regression").of_rows(truth, given, "a") == pytest.approx(np.sqrt(6 / 4), abs=1e-12)
    assert score_of("regression").bounds == (-1, 1)
