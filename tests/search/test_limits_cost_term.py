"""The cost term: the expected cost by the weights, written out, and that it steers alphas of any optimiser step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from audionas.features import LogMel
from audionas.models import build_model, build_supernet, n_parameters
from audionas.models.meter import Meter, Place
from audionas.search.limits import LimitCheck, Limits
from audionas.search.limits_cost_term import CostTerm
from audionas.spaces import CnnCellSpace

SPACE = CnnCellSpace(
    nodes=2, ops=("none", "skip_connect", "sep_conv_3x3"), macro={"n_cells": 2, "channels": 2, "reduction_at": ["1/2"]}
)
PLACE = Place(LogMel(sample_rate_hz=8000, length_s=0.5, n_mels=8, frames=8), 3)


def term_of(limits: Limits, weight: float = 1.0) -> CostTerm:
    torch.manual_seed(0)
    return CostTerm.of(build_supernet(SPACE, (1, 8, 8), 3), LimitCheck(limits, Meter(PLACE)), weight)


def decide(term: CostTerm, op: str) -> None:
    """Alphas that leave no doubt."""
    for alphas in term.supernet.arch_parameters():
        alphas.data = torch.full_like(alphas, -50.0)
        alphas.data[:, SPACE.ops.index(op)] = 50.0


def size_of(op: str) -> int:
    """Parameters of the network of one operation that reads inputs 0 and 1 everywhere."""
    cell = tuple((op, source) for _ in range(2) for source in (0, 1))
    return n_parameters(build_model(SPACE.make(cell, cell), input_shape=(1, 8, 8), n_classes=3))


def test_decided_alphas_expect_what_their_network_costs() -> None:
    term = term_of(Limits(max_parameters=1000))
    decide(term, "sep_conv_3x3")
    # in this operation an edge from an input costs as much as one from an inner node
    assert float(term.expected(term.ceilings[0].cost).detach()) == pytest.approx(size_of("sep_conv_3x3"), rel=1e-6)
    decide(term, "none")
    outside = size_of("skip_connect") - 4 * (4 * 4 + 8)  # four skips at stride 2: two halves of 1x1, and BN
    assert float(term.expected(term.ceilings[0].cost).detach()) == pytest.approx(outside, rel=1e-6)


def test_undecided_alphas_expect_the_mean_over_operations_and_edges() -> None:
    term = term_of(Limits(max_parameters=1000))
    for alphas in term.supernet.arch_parameters():
        alphas.data.zero_()
    cost = term.ceilings[0].cost
    expected = float(cost.constant)
    for kind in ("normal", "reduce"):
        for edge, share in enumerate([1.0, 1.0, 2 / 3, 2 / 3, 2 / 3]):  # node 3 keeps two of three
            expected += share * float(np.sum(cost.of[kind][edge])) / 3  # a third for each of none, skip, convolution
    assert float(term.expected(cost).detach()) == pytest.approx(expected, rel=1e-6)


def test_the_term_is_the_mean_share_of_the_limits_times_its_weight() -> None:
    term = term_of(Limits(max_parameters=500, max_macs_per_second=1e5), weight=0.3)
    parameters, macs = (float(term.expected(ceiling.cost).detach()) for ceiling in term.ceilings)
    expected = 0.3 * (parameters / 500 + macs / 0.5 / 1e5) / 2
    assert float(term().detach()) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("optimiser", [torch.optim.SGD, torch.optim.Adam])
def test_a_step_with_the_term_alone_lowers_the_expected_cost(optimiser: Any) -> None:
    term = term_of(Limits(max_parameters=500))
    stepper = optimiser(term.supernet.arch_parameters(), lr=0.5)
    stepper.register_step_pre_hook(term.add_gradient)
    costs = []
    for _ in range(5):
        costs.append(float(term().detach()))
        stepper.zero_grad()
        stepper.step()
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] < costs[0]


def test_the_gradient_adds_to_that_of_the_loss() -> None:
    term = term_of(Limits(max_parameters=500))
    alphas = term.supernet.arch_parameters()
    for alpha in alphas:
        alpha.grad = torch.ones_like(alpha)
    own = torch.autograd.grad(term(), alphas)
    term.add_gradient()
    for alpha, gradient in zip(alphas, own, strict=True):
        torch.testing.assert_close(alpha.grad, 1.0 + gradient)
        assert gradient.abs().max() > 0
