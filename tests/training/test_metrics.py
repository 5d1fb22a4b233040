"""UA, WA and recalls against a published confusion matrix and scikit-learn."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, recall_score

from audionas.training.metrics import ClassificationMetrics, classification_metrics, pooled

LABELS = ("angry", "happy", "neutral", "sad")
# Li, Zhao, Kawahara 2019, table 3; rows are the truth
LI_2019 = ((939, 101, 63, 0), (271, 1283, 71, 11), (2, 107, 1300, 299), (8, 25, 57, 994))
truths = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40)


def test_the_confusion_matrix_of_li_2019_gives_its_wa_and_ua() -> None:
    found = ClassificationMetrics(LABELS, LI_2019)
    assert found.n_clips == 5531
    assert round(100 * found.wa, 2) == 81.65
    assert round(100 * found.ua, 2) == 82.84
    assert found.recalls["angry"] == 939 / 1103
    assert found.absent_classes == ()


def test_rows_of_the_confusion_matrix_are_the_truth() -> None:
    found = classification_metrics(np.array([0, 0, 1]), np.array([0, 1, 1]), ("a", "b"))
    assert found.confusion == ((1, 1), (0, 1))
    assert found.recalls == {"a": 0.5, "b": 1.0}
    assert (found.ua, found.wa) == (0.75, 2 / 3)


def test_an_absent_class_counts_neither_as_zero_nor_silently() -> None:
    found = classification_metrics(np.array([0, 0, 2, 2]), np.array([0, 1, 2, 2]), LABELS)
    assert found.ua == (0.5 + 1.0) / 2
    assert found.absent_classes == ("happy", "sad")
    assert set(found.recalls) == {"angry", "neutral"}
    assert found.as_record()["absent_classes"] == ["happy", "sad"]


@given(truths)
def test_scores_agree_with_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    truth, predicted = np.array(pairs).T
    found = classification_metrics(truth, predicted, LABELS)
    present = np.unique(truth)
    assert found.wa == pytest.approx(accuracy_score(truth, predicted))
    recalls = recall_score(truth, predicted, labels=present, average=None)
    assert list(found.recalls.values()) == pytest.approx(recalls)
    if set(predicted) <= set(truth) and len(present) > 1:  # else scikit-learn warns
        assert found.ua == pytest.approx(balanced_accuracy_score(truth, predicted))


def test_pooling_sums_the_matrices_and_is_not_the_mean_over_folds() -> None:
    one = ClassificationMetrics(("a", "b"), ((1, 0), (5, 5)))
    two = ClassificationMetrics(("a", "b"), ((3, 6), (0, 0)))
    both = pooled([one, two])
    assert both.confusion == ((4, 6), (5, 5))
    assert both.ua == (4 / 10 + 5 / 10) / 2
    assert both.ua != (one.ua + two.ua) / 2
    assert both.absent_classes == ()


@given(st.lists(truths, min_size=1, max_size=4))
def test_pooled_metrics_are_those_of_all_clips_together(folds: list[list[tuple[int, int]]]) -> None:
    parts = [classification_metrics(*np.array(fold).T, LABELS) for fold in folds]
    everything = np.array([pair for fold in folds for pair in fold]).T
    assert pooled(parts) == classification_metrics(*everything, LABELS)


def test_nothing_and_other_labels_cannot_be_pooled() -> None:
    one = ClassificationMetrics(("a", "b"), ((1, 0), (0, 1)))
    for parts in ([], [one, ClassificationMetrics(("b", "a"), one.confusion)]):
        with pytest.raises(ValueError, match="at least one part, all with the same labels"):
            pooled(parts)


def test_the_record_is_json() -> None:
    record = classification_metrics(np.array([0, 1]), np.array([0, 0]), ("Ärger", "b")).as_record()
    assert json.loads(json.dumps(record)) == record
