"""Single-path one-shot: the supernet is trained along uniformly drawn paths, then an evolution searches it.

Source: Guo et al. 2020, "Single Path One-Shot Neural Architecture Search with Uniform Sampling" (ECCV), sections 3.2
and 3.4: population 50, 20 generations, the 10 best are parents, mutation 0.1, half of the children by crossover.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audionas.models.mixing import Mixing, PathMixing
from audionas.search.evolution import EvolutionPlan


def mixing(settings: Mapping[str, Any]) -> Mixing:  # noqa: ARG001
    """Alphas weigh nothing."""
    return PathMixing()


def evolution(settings: Mapping[str, Any]) -> EvolutionPlan:
    """How the trained supernet is searched."""
    keys = ("population", "generations", "parents", "mutation")
    return EvolutionPlan(**{key: settings[key] for key in keys if key in settings})


def build(
    *,
    seed: int,
    population: int = 50,  # noqa: ARG001
    generations: int = 20,  # noqa: ARG001
    parents: int = 10,  # noqa: ARG001
    mutation: float = 0.1,  # noqa: ARG001
    gradient_clip: float = 5.0,
) -> Any:
    """NNI's RandomOneShot with keyed paths; the other settings are read by `evolution`."""
    from audionas.search.nni_random_one_shot import RandomPaths

    return RandomPaths(seed, gradient_clip)
