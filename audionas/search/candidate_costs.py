"""What a candidate's network costs, for searches with several objectives; kept with its score in the log.

A latency is measured anew by every machine and every run, so a resumed search must read it from the log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audionas.errors import SettingsError
from audionas.models.meter import Meter
from audionas.spaces import Genotype

if TYPE_CHECKING:
    from audionas.search.evaluator import Score


def _latency_ms(meter: Meter, genotype: Genotype) -> float:
    return meter.latency(genotype).median_ms


MEASURED: dict[str, Callable[[Meter, Genotype], float]] = {
    "macs_per_second": Meter.macs_per_second,
    "latency_ms": _latency_ms,
}


def costs_asked(algorithm: str, settings: Mapping[str, Any]) -> tuple[str, ...]:
    """The costs that are objectives of a strategy; none where it has one objective alone."""
    if algorithm != "nsga2":
        return ()
    from audionas.search.algorithms.nsga2 import asked

    return asked(**settings)


def cost_of(score: Score, name: str) -> float:
    """One cost of a scored candidate; its parameters every score has.

    Raises:
        SettingsError: it was not measured.
    """
    if name == "parameters":
        return float(score.parameters)
    if name not in score.costs:
        raise SettingsError(f"settings.{name}: this evaluator does not measure it; set it to false")
    return float(score.costs[name])


@dataclass(frozen=True)
class CandidateCosts:
    """Measures the costs in `names` where the network is to run; the latency is the median."""

    names: tuple[str, ...]
    meter: Meter

    def of(self, genotype: Genotype) -> dict[str, float]:
        """The costs of one genotype that a score has not anyway."""
        return {name: MEASURED[name](self.meter, genotype) for name in self.names if name in MEASURED}
