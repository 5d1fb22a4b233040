"""The zero-one loss of FairDARTS: lowest where the sigmoids are decided, steepest on the way there."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from audionas.search.zero_one_loss import zero_one_loss


def test_it_is_minus_the_mean_square_distance_of_the_sigmoids_from_a_half() -> None:
    alphas = [np.array([[0.5, -2.0], [3.0, 0.0]]), np.array([[1.0, -1.0]])]
    every = np.concatenate([each.ravel() for each in alphas])
    expected = -np.mean((1 / (1 + np.exp(-every)) - 0.5) ** 2)
    assert float(zero_one_loss([torch.from_numpy(each) for each in alphas])) == pytest.approx(expected, rel=1e-12)


def test_every_option_of_decisions_of_any_length_counts_alike() -> None:
    """As in recurrent cells, where operations and inputs have vectors of their own: the mean is over all options."""
    decisions = [np.array([0.5, -2.0, 3.0, 1.0]), np.array([0.7, -0.7]), np.array([4.0, 0.0, -1.0])]
    total = sum((1 / (1 + np.exp(-a)) - 0.5) ** 2 for decision in decisions for a in decision)
    found = zero_one_loss([torch.from_numpy(decision) for decision in decisions])
    assert float(found) == pytest.approx(-total / 9, rel=1e-12)


def test_its_gradient_pushes_each_alpha_away_from_zero() -> None:
    alphas = torch.tensor([0.4, -0.4, 2.0], requires_grad=True)
    zero_one_loss([alphas]).backward()
    assert alphas.grad is not None
    assert torch.equal(torch.sign(-alphas.grad), torch.tensor([1.0, -1.0, 1.0])), "the step is against the gradient"
