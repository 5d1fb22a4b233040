"""Mixings: softmax, sigmoid, keyed Gumbel draws with straight-through gradients, uniform paths."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
import torch

from audionas.models.mixing import BinaryGates, GumbelMixing, Mixing, PartialMixing, PathMixing, SigmoidMixing

ALPHAS = torch.tensor([[0.5, -1.0, 2.0], [0.0, 0.3, 0.1]], dtype=torch.float64)


@pytest.mark.parametrize("mixing", [Mixing(), PartialMixing(), GumbelMixing()])
def test_alphas_decide_by_their_softmax(mixing: Mixing) -> None:
    expected = np.exp(ALPHAS.numpy()) / np.exp(ALPHAS.numpy()).sum(1, keepdims=True)
    np.testing.assert_allclose(mixing.decided(ALPHAS).numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(mixing.entropy(ALPHAS).numpy(), scipy.stats.entropy(expected, axis=1), rtol=1e-12)


def test_a_sigmoid_weighs_each_candidate_for_itself() -> None:
    expected = 1 / (1 + np.exp(-ALPHAS.numpy()))
    np.testing.assert_allclose(SigmoidMixing()(ALPHAS).numpy(), expected, rtol=1e-12)
    yes_or_no = scipy.stats.entropy(np.stack([expected, 1 - expected])).mean(1)
    np.testing.assert_allclose(SigmoidMixing().entropy(ALPHAS).numpy(), yes_or_no, rtol=1e-12)


@pytest.mark.parametrize("temperature", [0.1, 5.0])
def test_the_largest_gumbel_draw_is_a_draw_from_the_softmax_at_any_temperature(temperature: float) -> None:
    mixing = GumbelMixing()
    mixing.temperature = temperature
    mixing.draw_from(1)
    many = ALPHAS[:1].expand(20_000, -1)
    counts = mixing(many).sum(0).numpy()
    expected = 20_000 * np.exp(ALPHAS[0].numpy()) / np.exp(ALPHAS[0].numpy()).sum()
    assert scipy.stats.chisquare(counts, expected).pvalue > 0.001


def test_a_sparse_draw_is_exactly_one_hot_and_its_gradient_is_that_of_the_soft_one() -> None:
    alphas, factors = ALPHAS.clone().requires_grad_(), torch.tensor([[1.0, -2.0, 3.0]], dtype=torch.float64)
    gradients = []
    for is_sparse in (True, False):
        mixing = GumbelMixing(is_sparse)
        mixing.temperature = 0.7
        mixing.draw_from(3)
        weights = mixing(alphas)
        assert torch.equal(weights.sum(1).round(decimals=12), torch.ones(2, dtype=torch.float64))
        assert not is_sparse or set(weights.detach().flatten().tolist()) == {0.0, 1.0}
        gradients.append(torch.autograd.grad((weights * factors).sum(), alphas)[0])
    torch.testing.assert_close(gradients[0], gradients[1])
    assert gradients[0].abs().min() > 0


def test_gumbel_draws_follow_their_key_and_no_other_generator() -> None:
    mixing = GumbelMixing(is_sparse=False)
    drawn = []
    for key, noise in ((7, 0), (7, 1), (8, 0)):
        torch.manual_seed(noise)
        mixing.draw_from(key)
        drawn.append(mixing(ALPHAS))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_a_low_temperature_makes_soft_draws_hard() -> None:
    mixing, largest = GumbelMixing(is_sparse=False), []
    for temperature in (10.0, 0.1):
        mixing.temperature = temperature
        mixing.draw_from(0)
        largest.append(float(mixing(ALPHAS.expand(2, 3)).max(1).values.mean()))
    assert largest[0] < 0.5 < 0.95 < largest[1]


def test_paths_are_uniform_whatever_the_alphas() -> None:
    torch.manual_seed(0)
    counts = PathMixing()(torch.tensor([[9.0, 0.0, -9.0]]).expand(9000, -1)).sum(0).numpy()
    assert scipy.stats.chisquare(counts).pvalue > 0.001


def test_binary_gates_are_drawn_by_the_softmax() -> None:
    gates = BinaryGates()
    gates.draw_from(0, pairs=False)
    weights, computed = gates.draw(ALPHAS[:1].expand(20_000, -1))
    assert computed is not None
    assert torch.equal(computed, weights != 0)
    assert not weights.requires_grad
    expected = 20_000 * np.exp(ALPHAS[0].numpy()) / np.exp(ALPHAS[0].numpy()).sum()
    assert scipy.stats.chisquare(weights.sum(0).numpy(), expected).pvalue > 0.001


def test_the_gradient_of_a_pair_is_that_of_the_binary_gates_of_the_paper() -> None:
    """Section 3.2.1: dL/da_i = sum over the two of dL/dg_j p_j (delta_ij - p_i), p the softmax of the two alphas."""
    alphas, outputs = ALPHAS.clone().requires_grad_(), torch.tensor([[1.0, -2.0, 3.0], [0.5, 4.0, 1.0]])
    gates = BinaryGates()
    gates.draw_from(4, pairs=True)
    weights, computed = gates.draw(alphas)
    assert computed is not None
    assert computed.sum(1).tolist() == [2, 2]
    assert (weights.detach().sum(1) == 1).all()
    assert (weights.detach()[~computed] == 0).all()
    ((weights * outputs).sum(1) ** 2).sum().backward()
    expected = np.zeros((2, 3))
    for row in range(2):
        pair = computed[row].nonzero().flatten().tolist()
        p = np.exp(ALPHAS[row, pair].numpy()) / np.exp(ALPHAS[row, pair].numpy()).sum()
        output = float((weights[row].detach() * outputs[row]).sum())
        by_gate = [2 * output * float(outputs[row, j]) for j in pair]
        for i, at in enumerate(pair):
            expected[row, at] = sum(by_gate[j] * p[j] * ((i == j) - p[i]) for j in range(2))
    np.testing.assert_allclose(alphas.grad, expected, rtol=1e-9, atol=1e-12)
