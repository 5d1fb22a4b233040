"""mAP and macro AUC are scikit-learn's macro averages over the labels that are there."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from audionas.training.metrics import pooled
from audionas.training.multilabel_metrics import MultilabelMetrics

LABELS = ("a", "b", "c")


def drawn(n: int, seed: int) -> MultilabelMetrics:
    rng = np.random.default_rng(seed)
    truth = (rng.random((n, 3)) < 0.4).astype(np.float32)
    return MultilabelMetrics(LABELS, truth, rng.random((n, 3)).round(1))


def test_they_agree_with_scikit_learn() -> None:
    found = drawn(50, 0)
    assert found.map == pytest.approx(average_precision_score(found.truth, found.scores_given, average="macro"))
    assert found.auc == pytest.approx(roc_auc_score(found.truth, found.scores_given, average="macro"))
    assert found.primary == ("map", found.map)


def test_average_precision_is_the_mean_precision_at_the_clips_that_have_the_label() -> None:
    truth = np.array([[1], [0], [1], [0]], dtype=np.float32)
    found = MultilabelMetrics(("a",), truth, np.array([[0.9], [0.8], [0.7], [0.1]]))
    assert found.map == pytest.approx((1 / 1 + 2 / 3) / 2)  # found at rank 1 and at rank 3
    assert found.auc == pytest.approx(3 / 4)  # three of four pairs in the right order


def test_guessing_scores_the_share_of_clips_and_one_half() -> None:
    truth = np.array([[1, 0], [0, 1], [0, 1], [0, 1]], dtype=np.float32)
    found = MultilabelMetrics(("a", "b"), truth, np.full((4, 2), 0.5))
    assert found.average_precisions == pytest.approx({"a": 0.25, "b": 0.75})
    assert found.auc == 0.5


def test_an_absent_label_is_named_and_left_out_and_one_that_all_have_has_no_curve() -> None:
    truth = np.array([[1, 0, 1], [0, 0, 1]], dtype=np.float32)
    found = MultilabelMetrics(LABELS, truth, np.array([[0.9, 0.5, 0.2], [0.1, 0.5, 0.3]]))
    assert found.absent_classes == ("b",)
    assert found.average_precisions == {"a": 1.0, "c": 1.0}
    assert found.aucs == {"a": 1.0}
    record = found.as_record()
    assert (record["map"], record["auc"], record["absent_classes"]) == (1.0, 1.0, ["b"])
    assert record["counts"] == {"a": 1, "b": 0, "c": 2}


def test_without_any_label_the_scores_are_those_of_nothing_found() -> None:
    found = MultilabelMetrics(("a",), np.zeros((3, 1), dtype=np.float32), np.ones((3, 1)))
    assert found.scores == {"map": 0.0, "auc": 0.5}


def test_pooled_is_of_all_clips_and_not_the_mean_of_folds() -> None:
    parts = [drawn(20, 1), drawn(30, 2)]
    both = pooled(parts)
    truth, scores = (np.concatenate([getattr(part, name) for part in parts]) for name in ("truth", "scores_given"))
    assert both.map == pytest.approx(average_precision_score(truth, scores, average="macro"))
    assert both.map != pytest.approx(np.mean([part.map for part in parts]))
    assert both.n_clips == 50
