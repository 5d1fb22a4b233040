"""`Baseline`: one hand-made system, a line in the table of `audionas.models.baselines`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from audionas.records import Record

Shape = tuple[int, int, int]
ADAM: Mapping[str, Any] = {
    "optimiser": "adam", "learning_rate": 1.0e-3, "min_learning_rate": 0.0, "momentum": 0.0, "weight_decay": 0.0,
}  # fmt: skip


@dataclass(frozen=True)
class Baseline:
    """A system with what its paper says of its input and its training.

    Args:
        summary: one line for `audionas list baselines`.
        paper: authors and year; "" for a plain system.
        settings: record of the system's own settings; its defaults are the paper's.
        build: (settings, (channels, features, frames), outputs) -> the network: (batch, channels, features, frames)
            and lengths (batch,) or None -> logits (batch, outputs). See `abilities` for what it may offer beside.
        features: name of a preset in `audionas.features.PRESETS`.
        recipe: what the paper says of optimiser, rates and clipping: overrides of `audionas.training.recipe.Recipe`.
        epochs, batch_size, class_weighting: the paper's; `audionas retrain --paper` takes them.
    """

    summary: str
    paper: str
    settings: type[Record]
    build: Callable[[Any, Shape, int], nn.Module]
    features: str
    recipe: Mapping[str, Any] = field(default_factory=lambda: ADAM)
    epochs: int = 60
    batch_size: int = 16
    class_weighting: str = "balanced"
