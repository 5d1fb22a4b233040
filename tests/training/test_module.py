"""The optimisers and schedules of a recipe, with the formulas of their papers written out."""

from __future__ import annotations

from math import cos, pi
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from audionas.models import GenotypeNetwork, build_model
from audionas.spaces import CnnGenotype
from audionas.training.module import TrainingModule
from audionas.training.recipe import Augmentation, Recipe
from audionas.training.tasks import Classification


def module(recipe: Recipe | None = None, epochs: int = 10, network: nn.Module | None = None) -> TrainingModule:
    found = TrainingModule(Classification(), recipe or Recipe(), epochs=epochs, seed=0, purpose="test")
    found.set_model(network or nn.Linear(3, 2))
    return found


def test_the_default_recipe_is_that_of_darts() -> None:
    # Liu et al. 2019, section 3.1.1 and the release
    recipe = Recipe()
    assert (recipe.optimiser, recipe.learning_rate, recipe.min_learning_rate) == ("sgd", 0.025, 0.001)
    assert (recipe.momentum, recipe.weight_decay, recipe.gradient_clip) == (0.9, 3e-4, 5.0)
    assert (recipe.drop_path, recipe.augmentation) == (0.0, Augmentation(time_mask=0, feature_mask=0, mixup_alpha=0))


def test_the_rate_falls_by_a_cosine_from_first_to_minimum() -> None:
    [optimiser], [config] = module(epochs=10).configure_optimizers()
    rates = []
    for _ in range(11):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        config["scheduler"].step()
    assert config["interval"] == "epoch"
    assert rates == pytest.approx([0.001 + (0.025 - 0.001) * (1 + cos(pi * e / 10)) / 2 for e in range(11)])
    assert rates[10] == pytest.approx(0.001)


def test_a_rate_below_the_minimum_stays_where_it_is() -> None:
    [optimiser], [config] = module(Recipe(learning_rate=1e-4)).configure_optimizers()
    for _ in range(5):
        optimiser.step()
        config["scheduler"].step()
    assert optimiser.param_groups[0]["lr"] == pytest.approx(1e-4)


@pytest.mark.parametrize("optimiser,kind", [("sgd", torch.optim.SGD), ("adam", torch.optim.Adam)])
def test_the_optimiser_is_the_recipes(optimiser: str, kind: type) -> None:
    [found], _ = module(Recipe(optimiser=optimiser, weight_decay=0.5)).configure_optimizers()
    assert type(found) is kind
    assert found.param_groups[0]["weight_decay"] == 0.5


def network(auxiliary: bool = False) -> GenotypeNetwork:
    edges = (("skip_connect", 0), ("max_pool_3x3", 1))
    return build_model(
        CnnGenotype(edges, (2,), edges, (2,)), input_shape=(1, 4, 4), n_classes=2, channels=2, auxiliary=auxiliary
    )  # type: ignore[return-value]


def test_drop_path_rises_linearly_over_the_epochs() -> None:
    seen, model = [], network()
    found = module(Recipe(drop_path=0.2), epochs=4, network=model)
    for epoch in range(4):
        found._trainer = SimpleNamespace(current_epoch=epoch)  # type: ignore[assignment]
        found.on_train_epoch_start()
        seen.append(model.cells[0].cell.drop_path)
    assert seen == pytest.approx([0.0, 0.05, 0.1, 0.15])


def test_the_auxiliary_loss_weighs_as_in_darts() -> None:
    x, targets, weights = torch.randn(4, 1, 4, 4), torch.tensor([0, 1, 1, 0]), torch.ones(4)
    model = network(auxiliary=True)
    logits, extra = model.forward_with_auxiliary(x)
    loss = nn.functional.cross_entropy
    torch.testing.assert_close(
        module(network=model)._loss(x, targets, weights, None), loss(logits, targets) + 0.4 * loss(extra, targets)
    )


def test_mixup_mixes_the_losses_of_both_targets_with_their_weights() -> None:
    x, targets = torch.randn(4, 2), torch.tensor([0, 0, 1, 1])
    weights = torch.tensor([1.0, 2.0, 3.0, 4.0])
    torch.manual_seed(3)
    share = float(torch.distributions.Beta(0.5, 0.5).sample())
    partners = torch.randperm(4)
    mixed = share * x + (1 - share) * x[partners]

    def weighted(which: torch.Tensor) -> torch.Tensor:
        each = nn.functional.cross_entropy(mixed, targets[which], reduction="none")
        return (each * weights[which]).sum() / weights[which].sum()

    torch.manual_seed(3)
    found = module(Recipe(augmentation=Augmentation(mixup_alpha=0.5)), network=nn.Identity())
    expected = share * weighted(torch.arange(4)) + (1 - share) * weighted(partners)
    torch.testing.assert_close(found._loss(x, targets, weights, None), expected)
