"""Regularised evolution: the youngest of a population compete, the winner's child replaces the oldest.

Source: Real, Aggarwal, Huang, Le 2019 (AmoebaNet), algorithm 1.
"""

from __future__ import annotations

from typing import Any

from audionas.errors import SettingsError


def build(*, seed: int, population: int = 20, sample: int = 5, mutations: int = 1) -> Any:
    """NNI's RegularizedEvolution.

    Args:
        population: individuals that are alive; so many are drawn at random at the start.
        sample: how many of them compete to be the parent.
        mutations: choices in which a child differs from its parent.

    Raises:
        SettingsError: `sample` is larger than the population.
    """
    from audionas.search.nni_evolution import DistinctEvolution

    check(population=population, sample=sample)
    return DistinctEvolution(population_size=population, sample_size=sample, n_mutations=mutations, seed=seed % 2**32)


def check(*, population: int = 20, sample: int = 5, **_others: int) -> None:
    """Refuse settings that contradict each other."""
    if sample > population:
        raise SettingsError(f"settings.sample: got {sample}, must be from 1 to the population ({population})")
