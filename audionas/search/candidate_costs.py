"""What a candidate's network costs, for searches with several objectives; kept with its score in the log.

A latency is measured anew by every machine and every run, so a resumed search must read it from the log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from audionas.errors import SettingsError
from audionas.models import build_model
from audionas.models.macs import n_macs
from audionas.spaces import Genotype

if TYPE_CHECKING:
    from audionas.search.evaluator import Score


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
    """Measures the costs in `names` of networks for one input.

    Args:
        input_shape: (channels, features, frames) of the network's input, which holds `length_s` seconds of audio.
        latency_ms: measures the latency of a genotype's network in ms; needed for `latency_ms` alone.

    Raises:
        SettingsError: the latency is asked for and nothing here measures it.
    """

    names: tuple[str, ...]
    input_shape: tuple[int, int, int]
    n_outputs: int
    length_s: float
    latency_ms: Callable[[Genotype], float] | None = None

    def __post_init__(self) -> None:
        if "latency_ms" in self.names and self.latency_ms is None:
            raise SettingsError("settings.latency_ms: nothing here measures the latency; take macs_per_second")

    def of(self, genotype: Genotype) -> dict[str, float]:
        """The costs of one genotype."""
        found: dict[str, float] = {}
        if "macs_per_second" in self.names:
            with torch.device("meta"):
                network = build_model(genotype, input_shape=self.input_shape, n_classes=self.n_outputs)
            found["macs_per_second"] = n_macs(network, self.input_shape) / self.length_s
        if "latency_ms" in self.names and self.latency_ms is not None:
            found["latency_ms"] = self.latency_ms(genotype)
        return found
