"""Scores by networks in torch: one, or the mean of several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from audionas.audio.manifest import Task
from audionas.exchange.scored_input import Fed, ScoredInput
from audionas.exchange.scoring_network import ScoringEnsemble


@dataclass(frozen=True)
class TorchScorer:
    """A `Scorer` in eval mode on a device."""

    task: Task
    labels: tuple[str, ...]
    inputs: tuple[ScoredInput, ...]
    longest_s: float
    ensemble: ScoringEnsemble
    device: str = "cpu"

    def scores(self, fed: Sequence[Fed]) -> list[np.ndarray]:
        """For each input the mean over its networks, (rows, labels) float64."""
        found = self.outputs(fed)
        return found if len(self.inputs) == 1 else found[1:]

    def outputs(self, fed: Sequence[Fed]) -> list[np.ndarray]:
        """Everything that the ensemble gives, in float64: the mean over all networks first."""
        with torch.no_grad():
            found = self.ensemble(*(value.to(self.device) for value in tensors(fed)))
        return [scores.double().cpu().numpy() for scores in found]


def tensors(fed: Sequence[Fed]) -> list[Tensor]:
    """What is fed, flat, as an ensemble takes it."""
    given = [value for pair in fed for value in pair if value is not None]
    return [torch.from_numpy(np.ascontiguousarray(value)) for value in given]
