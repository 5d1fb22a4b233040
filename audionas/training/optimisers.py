"""The optimiser and the learning rate's schedule that a recipe asks for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, LRScheduler, MultiStepLR

from audionas.training.recipe import Recipe


def optimiser_of(recipe: Recipe, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
    """SGD or Adam with the recipe's rate, momentum and weight decay."""
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(
            parameters, recipe.learning_rate, momentum=recipe.momentum, weight_decay=recipe.weight_decay,
            nesterov=recipe.nesterov,
        )  # fmt: skip
    return torch.optim.Adam(parameters, recipe.learning_rate, weight_decay=recipe.weight_decay)


def schedule_of(recipe: Recipe, optimiser: torch.optim.Optimizer, epochs: int) -> dict[str, Any]:
    """The schedule as Lightning takes it: moved once an epoch, `inverse_time` once a step.

    `steps`: the rate is divided by 10 after round(share x epochs) epochs, for each share in `milestones`.
    """
    if recipe.schedule == "inverse_time":
        decay = recipe.time_decay
        return {"scheduler": LambdaLR(optimiser, lambda step: 1.0 / (1.0 + decay * step)), "interval": "step"}
    scheduler: LRScheduler
    if recipe.schedule == "steps":
        scheduler = MultiStepLR(optimiser, [round(share * epochs) for share in recipe.milestones], gamma=0.1)
    elif recipe.schedule == "constant":
        scheduler = LambdaLR(optimiser, lambda _: 1.0)
    else:
        low = min(recipe.min_learning_rate, recipe.learning_rate)
        scheduler = CosineAnnealingLR(optimiser, epochs, eta_min=low)
    return {"scheduler": scheduler, "interval": "epoch"}


def epoch_rates(recipe: Recipe, epochs: int) -> list[float] | None:
    """The learning rate of each epoch; None where it moves with every step.

    >>> epoch_rates(Recipe(learning_rate=0.5, schedule="constant"), 3)
    [0.5, 0.5, 0.5]
    """
    optimiser = optimiser_of(recipe, [torch.nn.Parameter(torch.zeros(1))])
    schedule = schedule_of(recipe, optimiser, epochs)
    if schedule["interval"] == "step":
        return None
    rates = []
    for _ in range(epochs):
        rates.append(float(optimiser.param_groups[0]["lr"]))
        optimiser.step()
        schedule["scheduler"].step()
    return rates
