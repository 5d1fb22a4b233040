"""The closed form against scikit-learn's ridge regression on the same random units."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.preprocessing import MinMaxScaler

from audionas.models.baselines.extreme_learning_machine import ExtremeLearningMachine


@pytest.fixture
def clips() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(0)
    return torch.rand(40, 6, generator=rng), torch.arange(40) % 3, 0.5 + torch.rand(40, generator=rng)


def test_the_solution_is_that_of_weighted_ridge_regression(
    clips: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
) -> None:
    x, targets, weights = clips
    torch.manual_seed(0)
    elm = ExtremeLearningMachine(6, 20, 3, ridge=0.1)
    elm.solve(x, targets, weights)
    scaled = MinMaxScaler((-1, 1)).fit_transform(x.double().numpy())
    hidden = 1 / (1 + np.exp(-(scaled @ elm.projection.double().numpy() + elm.offset.double().numpy())))
    wanted = np.where(np.eye(3)[targets.numpy()] == 1, 1.0, -1.0)
    share = weights.double().numpy() / weights.double().numpy().mean()
    ridge = Ridge(alpha=0.1, fit_intercept=False, solver="cholesky").fit(hidden, wanted, sample_weight=share)
    assert np.allclose(elm.solution.numpy(), ridge.coef_.T, atol=1e-3)
    assert np.allclose(elm(x).numpy(), ridge.predict(hidden), atol=1e-4)


def test_nothing_is_a_parameter_and_the_random_units_come_from_torchs_generator() -> None:
    torch.manual_seed(1)
    first = ExtremeLearningMachine(4, 7, 2, ridge=0.1)
    torch.manual_seed(1)
    second = ExtremeLearningMachine(4, 7, 2, ridge=0.1)
    assert list(first.parameters()) == []
    assert sorted(first.state_dict()) == ["is_solved", "lowest", "offset", "projection", "solution", "spread"]
    assert torch.equal(first.projection, second.projection)
    assert float(first.projection.abs().max()) <= 1
    assert not first.is_solved


def test_a_state_that_is_loaded_judges_as_the_one_that_was_saved(
    clips: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
) -> None:
    saved, loaded = ExtremeLearningMachine(6, 20, 3, ridge=0.1), ExtremeLearningMachine(6, 20, 3, ridge=0.1)
    saved.solve(*clips)
    loaded.load_state_dict(saved.state_dict())
    assert loaded.is_solved
    assert torch.equal(loaded(clips[0]), saved(clips[0]))


def test_an_input_that_all_clips_have_alike_does_no_harm() -> None:
    torch.manual_seed(0)
    elm = ExtremeLearningMachine(2, 10, 2, ridge=0.01)
    x = torch.stack([torch.full((8,), 0.25), torch.arange(8.0)], dim=1)
    targets = (torch.arange(8) > 3).long()
    elm.solve(x, targets, torch.ones(8))
    assert torch.equal(elm(x).argmax(dim=1), targets)
