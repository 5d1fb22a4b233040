"""The classification seam: its loss is torch's with class weights, `balanced` makes classes weigh the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from audionas.errors import SettingsError
from audionas.training.tasks import Classification, task_of
from tests.training.toys import toy_manifest

TASK = Classification()
targets = st.lists(st.integers(0, 3), min_size=2, max_size=30).map(np.array)


@given(targets)
def test_balanced_weights_give_the_loss_of_torch_with_class_weights(truth: np.ndarray) -> None:
    logits = torch.from_numpy(np.random.default_rng(len(truth)).normal(size=(len(truth), 4)))
    classes, counts = np.unique(truth, return_counts=True)
    per_class = torch.zeros(4, dtype=torch.float64)
    for label, count in zip(classes, counts, strict=True):
        per_class[label] = len(truth) / (len(classes) * count)
    expected = functional.cross_entropy(logits, torch.from_numpy(truth), weight=per_class)
    weights = torch.from_numpy(TASK.clip_weights(truth, "balanced")).double()
    torch.testing.assert_close(TASK.loss(logits, torch.from_numpy(truth), weights), expected, rtol=1e-6, atol=1e-7)


@given(targets)
def test_balanced_weights_are_equal_in_sum_for_every_class_and_one_in_mean(truth: np.ndarray) -> None:
    weights = TASK.clip_weights(truth, "balanced")
    sums = [weights[truth == label].sum() for label in np.unique(truth)]
    assert sums == pytest.approx([len(truth) / len(sums)] * len(sums), rel=1e-5)
    assert weights.mean() == pytest.approx(1.0, rel=1e-5)
    assert weights.dtype == np.float32


@pytest.mark.parametrize("weighting", ["none", "sampler"])
def test_other_weightings_leave_the_loss_a_plain_mean(weighting: str) -> None:
    truth = np.array([0, 0, 0, 1])
    weights = TASK.clip_weights(truth, weighting)
    assert weights.tolist() == [1, 1, 1, 1]
    logits = torch.randn(4, 2)
    plain = functional.cross_entropy(logits, torch.from_numpy(truth))
    torch.testing.assert_close(TASK.loss(logits, torch.from_numpy(truth), torch.from_numpy(weights)), plain)


def test_scores_are_probabilities_and_the_most_probable_class_is_predicted() -> None:
    scores = TASK.scores(torch.log(torch.tensor([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])))
    torch.testing.assert_close(scores, torch.tensor([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]]))
    found = TASK.metrics(np.array([2, 1]), scores.numpy(), ("a", "b", "c"))
    assert found.recalls == {"b": 0.0, "c": 1.0}


def test_one_output_a_label() -> None:
    assert TASK.n_outputs(toy_manifest(labels=("a", "b"))) == 2


def test_a_task_without_a_seam_is_refused_in_one_line() -> None:
    assert isinstance(task_of(toy_manifest()), Classification)
    with pytest.raises(SettingsError, match=r"^/toy: unknown task 'ranking'; known: classification, multilabel, reg"):
        task_of(replace(toy_manifest(), task="ranking"))
