"""ENAS: a controller learns to draw single paths of the supernet that score well; the best of its draws is the result.

Source: Pham et al. 2018, "Efficient Neural Architecture Search via Parameter Sharing" (ICML), sections 2.2 to 2.4 and
its release: Adam with rate 3.5e-4, baseline of decay 0.99, entropy weighed by 1e-4. Differences stand in
`audionas.search.nni_enas`; and each drawn path is scored on the whole alphas part, where the paper takes one batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from audionas.models.mixing import Mixing, PathMixing
from audionas.search.evolution import Draw, EvolutionPlan
from audionas.spaces import SearchSpace


def mixing(settings: Mapping[str, Any]) -> Mixing:  # noqa: ARG001
    """Alphas weigh nothing."""
    return PathMixing()


def evolution(settings: Mapping[str, Any]) -> EvolutionPlan:
    """One generation of `samples` paths."""
    return EvolutionPlan(population=settings.get("samples", 20), generations=1)


def draws(run: Path, space: SearchSpace) -> Draw:
    """The trained controller's draws."""
    from audionas.search.controller import load_controller

    controller = load_controller(run, space.choices())

    def draw(rng: np.random.Generator) -> Mapping[str, str]:
        return controller.drawn(int(rng.integers(2**63)))

    return draw


def build(
    *,
    seed: int,
    controller_learning_rate: float = 3.5e-4,
    paths: int = 1,
    baseline_decay: float = 0.99,
    entropy_weight: float = 1.0e-4,
    samples: int = 20,  # noqa: ARG001
    gradient_clip: float = 5.0,
) -> Any:
    """NNI's ENAS strategy with a controller of ours; `samples` is read by `evolution`.

    Args:
        controller_learning_rate: of Adam.
        paths: how many paths are scored a step of the controller.
        baseline_decay: of the moving average of rewards.
        entropy_weight: of a path's entropy in its reward.
    """
    from audionas.search.nni_enas import ControllerSteps, Enas

    steps = ControllerSteps(controller_learning_rate, paths, baseline_decay, entropy_weight)
    return Enas(seed, steps, gradient_clip)
