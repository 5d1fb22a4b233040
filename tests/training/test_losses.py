"""Losses of scored clips, balanced so that rare sides weigh the same."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import log_loss

from audionas.training.losses import binary_log_losses


def test_the_binary_loss_is_the_mean_of_scikit_learns_over_labels() -> None:
    rng = np.random.default_rng(0)
    truth, scores = (rng.random((30, 3)) < 0.5).astype(float), rng.uniform(0.05, 0.95, (30, 3))
    expected = np.mean([log_loss(truth[:, i], scores[:, i]) for i in range(3)])
    assert binary_log_losses(truth, scores)[0] == pytest.approx(expected)


def test_both_sides_of_each_label_weigh_the_same_and_a_side_without_clips_is_left_out() -> None:
    truth, scores = np.array([[1, 0], [0, 0], [0, 0]]), np.array([[0.2, 0.5], [0.1, 0.5], [0.3, 0.5]])
    with_it, without = -np.log(0.2), -(np.log(0.9) + np.log(0.7)) / 2
    assert binary_log_losses(truth, scores)[1] == pytest.approx((with_it + without - np.log(0.5)) / 3)


def test_a_certain_mistake_has_a_finite_loss() -> None:
    assert max(binary_log_losses(np.array([[1.0]]), np.array([[0.0]]))) == pytest.approx(-np.log(1e-12))
