"""NSGA-II: evolution towards the front of several objectives: the score, and what the networks cost.

Source: Deb, Pratap, Agarwal, Meyarivan 2002, "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II". What
differs stands in `audionas.search.nni_nsga2`.
"""

from __future__ import annotations

from typing import Any

from audionas.errors import SettingsError


def build(
    *,
    seed: int,
    population: int = 10,
    crossover: float = 0.9,
    parameters: bool = True,
    macs_per_second: bool = False,
    latency_ms: bool = False,
) -> Any:
    """Evolution in generations of `population` candidates.

    Args:
        population: parents kept, and children a generation; even, so that children come in pairs of parents.
        crossover: probability that a child takes each choice from either of two parents, and not all from one.
        parameters: whether the number of parameters is an objective.
        macs_per_second: whether multiply-accumulates per second of audio are one.
        latency_ms: whether the measured latency of one clip is one.

    Raises:
        SettingsError: a setting is out of range, or no cost is an objective.
    """
    from audionas.search.nni_nsga2 import Nsga2

    check(population=population, crossover=crossover, parameters=parameters, macs_per_second=macs_per_second,
          latency_ms=latency_ms)  # fmt: skip
    costs = asked(parameters=parameters, macs_per_second=macs_per_second, latency_ms=latency_ms)
    return Nsga2(population, crossover, costs, seed)


def asked(*, parameters: bool = True, macs_per_second: bool = False, latency_ms: bool = False,
          **_: object) -> tuple[str, ...]:  # fmt: skip
    """Names of the costs that are objectives."""
    chosen = {"parameters": parameters, "macs_per_second": macs_per_second, "latency_ms": latency_ms}
    return tuple(name for name, is_asked in chosen.items() if is_asked)


def check(*, population: int = 10, crossover: float = 0.9, **costs: bool) -> None:
    """Refuse settings that are out of range."""
    if not 4 <= population <= 1000 or population % 2:
        raise SettingsError(f"settings.population: got {population}, must be an even number from 4 to 1000")
    if not 0 <= crossover <= 1:
        raise SettingsError(f"settings.crossover: got {crossover}, must be from 0 to 1")
    if not asked(**costs):
        raise SettingsError(
            "settings: no cost is an objective; set parameters, macs_per_second or latency_ms to true, or take "
            "algorithm regularized_evolution for one objective"
        )
