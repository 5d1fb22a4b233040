"""From raw features to scores in one module: normaliser, network and the task's last step; what an ONNX graph holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from audionas.models.masked_maps import masked
from audionas.training.batches import Normaliser
from audionas.training.tasks import TaskSeam


class ScoringNetwork(nn.Module):
    """Raw features (batch, channels, features, frames) float32, lengths (batch,) int64 -> scores (batch, labels).

    With lengths the padding is 0 after normalisation, else before it, as `ClipTensors` has them in training.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, normaliser: Normaliser, task: TaskSeam) -> None:
        super().__init__()
        self.network, self.task = network, task
        self.register_buffer("mean", torch.from_numpy(normaliser.mean))
        self.register_buffer("std", torch.from_numpy(normaliser.std))

    def forward(self, features: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Probabilities, or numbers in the targets' own units."""
        x = (features - self.mean) / self.std
        if lengths is None:
            return self.task.scores(self.network(x))
        return self.task.scores(self.network(masked(x, lengths), lengths))


class ScoringEnsemble(nn.Module):
    """Networks by the input that they read: their inputs one after the other -> the mean over all, then each input's.

    Args:
        networks: those of each input.
        are_masked: whether an input's networks are given lengths after its features.
    """

    def __init__(self, networks: Sequence[Sequence[ScoringNetwork]], are_masked: Sequence[bool]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(nn.ModuleList(group) for group in networks)
        self.are_masked = tuple(are_masked)

    def forward(self, *given: Tensor) -> tuple[Tensor, ...]:
        """Scores (batch, labels); of one input once."""
        rest, means, total, count = iter(given), [], None, 0
        for group, is_masked in zip(self.networks, self.are_masked, strict=True):
            assert isinstance(group, nn.ModuleList)
            each = _scores(group, next(rest), next(rest) if is_masked else None)
            summed = sum(each[1:], each[0])
            total = summed if total is None else total + summed
            count += len(each)
            means.append(summed / len(each))
        assert total is not None
        return (means[0],) if len(means) == 1 else (total / count, *means)

    def scoring(self) -> Iterator[ScoringNetwork]:
        """All networks."""
        for group in self.networks:
            yield from group  # type: ignore[misc]

    def normaliser(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Mean and sd by which the first network of an input normalises it, (channels or 1, features or 1, 1)."""
        first = next(iter(self.networks[number]))  # type: ignore[call-overload]
        return first.mean.cpu().numpy(), first.std.cpu().numpy()


def _scores(group: nn.ModuleList, features: Tensor, lengths: Tensor | None) -> list[Tensor]:
    return [network(features) if lengths is None else network(features, lengths) for network in group]
