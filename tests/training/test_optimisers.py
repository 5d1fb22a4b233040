"""Schedules against their formulas, and the two ways to clip."""

from __future__ import annotations

import math

import pytest
import torch

from audionas.training.optimisers import optimiser_of, schedule_of
from audionas.training.recipe import Recipe


def _rates(recipe: Recipe, epochs: int) -> list[float]:
    weight = torch.nn.Parameter(torch.zeros(1))
    optimiser = optimiser_of(recipe, [weight])
    schedule = schedule_of(recipe, optimiser, epochs)
    rates = []
    for _ in range(epochs):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule["scheduler"].step()
    return rates


def test_steps_divide_by_ten_at_shares_of_the_epochs() -> None:
    # Li et al. 2018: 0.05, divided by 10 at epochs 21, 31 and 41 of 50
    rates = _rates(Recipe(learning_rate=0.05, schedule="steps", milestones=(0.4, 0.6, 0.8)), 50)
    assert rates == pytest.approx([0.05] * 20 + [0.005] * 10 + [0.0005] * 10 + [0.00005] * 10)


def test_inverse_time_is_kerass_decay_a_step() -> None:
    recipe = Recipe(optimiser="adam", learning_rate=1e-4, schedule="inverse_time", time_decay=1e-2)
    assert _rates(recipe, 30) == pytest.approx([1e-4 / (1 + 0.01 * step) for step in range(30)])
    optimiser = optimiser_of(recipe, [torch.nn.Parameter(torch.zeros(1))])
    assert schedule_of(recipe, optimiser, 30)["interval"] == "step"


def test_a_cosine_ends_at_its_lowest_rate_and_a_constant_stays() -> None:
    rates = _rates(Recipe(learning_rate=0.025, min_learning_rate=0.001), 10)
    assert rates == pytest.approx([0.001 + 0.012 * (1 + math.cos(math.pi * epoch / 10)) for epoch in range(10)])
    assert _rates(Recipe(schedule="constant"), 3) == [0.025] * 3


def test_nesterov_is_torchs() -> None:
    assert optimiser_of(Recipe(nesterov=True), [torch.nn.Parameter(torch.zeros(1))]).defaults["nesterov"] is True
