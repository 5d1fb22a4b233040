"""The seam of numbers: 1 - CCC whatever the unit, and predictions in the unit of the training clips."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from audionas.errors import SettingsError
from audionas.training.regression import Regression
from audionas.training.regression_metrics import concordance

TRUTH = np.random.default_rng(0).normal(50, 20, size=(12, 2)).astype(np.float32)
TASK = Regression().fitted(TRUTH)


def test_the_loss_is_one_minus_the_concordance_of_the_predictions_in_their_own_unit() -> None:
    logits = torch.randn(12, 2)
    predicted = TASK.scores(logits).numpy()
    expected = 1 - np.mean([concordance(TRUTH[:, i], predicted[:, i]) for i in range(2)])
    assert float(TASK.loss(logits, torch.from_numpy(TRUTH), torch.ones(12))) == pytest.approx(expected, abs=1e-5)


def test_a_clip_of_twice_the_weight_counts_as_two() -> None:
    logits, targets = torch.randn(5, 2), torch.from_numpy(TRUTH[:5])
    twice = torch.tensor([0, 1, 1, 2, 3, 4])
    found = TASK.loss(logits, targets, torch.tensor([1.0, 2.0, 1.0, 1.0, 1.0]))
    torch.testing.assert_close(found, TASK.loss(logits[twice], targets[twice], torch.ones(6)))


def test_a_network_that_says_0_predicts_the_training_mean_and_1_one_sd_above() -> None:
    assert TASK.scores(torch.zeros(1, 2)).numpy()[0] == pytest.approx(TRUTH.mean(axis=0))
    above = TASK.scores(torch.ones(1, 2)).numpy()[0]
    assert above == pytest.approx(TRUTH.mean(axis=0) + TRUTH.std(axis=0), rel=1e-5)
    assert TASK.chance(2) == pytest.approx(TRUTH.mean(axis=0))


def test_a_target_that_does_not_vary_among_the_training_clips_keeps_its_unit() -> None:
    task = Regression().fitted(np.array([[3.0, 1.0], [3.0, 5.0]]))
    assert task.sd == (1.0, 2.0)
    assert np.isfinite(float(task.loss(torch.zeros(2, 2), torch.tensor([[3.0, 1.0], [3.0, 5.0]]), torch.ones(2))))


def test_a_batch_without_any_spread_has_a_finite_loss_and_gradient() -> None:
    logits = torch.zeros(4, 2, requires_grad=True)
    TASK.loss(logits, torch.from_numpy(TRUTH[[0, 0, 0, 0]]), torch.ones(4)).backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_mean_and_sd_are_kept_for_the_weights() -> None:
    assert TASK.state()["mean"] == pytest.approx(TRUTH.astype(float).mean(axis=0))
    assert TASK.state()["std"] == pytest.approx(TRUTH.astype(float).std(axis=0))


def test_drawing_by_class_is_refused() -> None:
    with pytest.raises(
        SettingsError, match=r"class weighting 'sampler' draws clips by .*, and these have numbers; use"
    ):
        TASK.clip_weights(TRUTH, "sampler")
    assert TASK.clip_weights(TRUTH, "balanced").tolist() == [1] * 12
