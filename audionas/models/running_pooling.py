"""Poolings that are updated as frames come: at any moment what `frame_pooling` gives of all frames so far."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor, nn

from audionas.models.frame_pooling import SD_FLOOR, AttentionPooling, FramePooling


class RunningPooling(Protocol):
    """One clip's pooling, or that of a batch of clips whose frames come together."""

    def update(self, values: Tensor) -> None:
        """More frames: (batch, frames, values), one frame at least."""
        ...

    def value(self) -> Tensor:
        """The pooled values of all frames so far, (batch, outputs)."""
        ...


class RunningAttention:
    """Softmax over frames as they come: weighted sum and sum of weights, both relative to the largest energy so far."""

    def __init__(self, pooling: AttentionPooling) -> None:
        self._pooling = pooling
        self._largest: Tensor | None = None
        self._total = self._weighted = torch.zeros(())

    def update(self, values: Tensor) -> None:
        """More frames."""
        energy = self._pooling.energy(values)
        largest = energy.amax(dim=1)
        if self._largest is not None:
            largest = torch.maximum(largest, self._largest)
            shrunk = torch.exp(self._largest - largest)
            self._total, self._weighted = self._total * shrunk, self._weighted * shrunk[:, None]
        share = torch.exp(energy - largest[:, None])
        self._total = self._total + share.sum(dim=1)
        self._weighted = self._weighted + (share[:, :, None] * values).sum(dim=1)
        self._largest = largest

    def value(self) -> Tensor:
        """The weighted mean."""
        return self._weighted / self._total[:, None]


class RunningMean:
    """The mean, and with `has_sd` the population sd beside it, by Chan's update (Chan, Golub, LeVeque 1983)."""

    def __init__(self, *, has_sd: bool) -> None:
        self._has_sd, self._n = has_sd, 0
        self._mean = self._squares = torch.zeros(())

    def update(self, values: Tensor) -> None:
        """More frames."""
        n, mean = values.shape[1], values.mean(dim=1)
        squares = ((values - mean[:, None]) ** 2).sum(dim=1)
        total, apart = self._n + n, mean - self._mean
        self._squares = self._squares + squares + apart**2 * (self._n * n / total)
        self._mean = self._mean + apart * (n / total)
        self._n = total

    def value(self) -> Tensor:
        """Mean, or mean and sd."""
        if not self._has_sd:
            return self._mean
        return torch.cat([self._mean, torch.sqrt(self._squares / self._n + SD_FLOOR)], dim=-1)


class RunningMax:
    """The maximum."""

    def __init__(self) -> None:
        self._largest: Tensor | None = None

    def update(self, values: Tensor) -> None:
        """More frames."""
        found = values.amax(dim=1)
        self._largest = found if self._largest is None else torch.maximum(self._largest, found)

    def value(self) -> Tensor:
        """The maximum so far."""
        assert self._largest is not None
        return self._largest


class RunningLast:
    """The last frame."""

    def __init__(self) -> None:
        self._last: Tensor | None = None

    def update(self, values: Tensor) -> None:
        """More frames."""
        self._last = values[:, -1]

    def value(self) -> Tensor:
        """The last frame so far."""
        assert self._last is not None
        return self._last


_RUNNING: dict[str, Callable[[], RunningPooling]] = {
    "mean": lambda: RunningMean(has_sd=False),
    "max": RunningMax,
    "last": RunningLast,
    "statistics": lambda: RunningMean(has_sd=True),
}


def running_pooling(pooling: nn.Module) -> RunningPooling | None:
    """A pooling that is updated, beginning with no frame; None where there is none for this kind."""
    if isinstance(pooling, AttentionPooling):
        return RunningAttention(pooling)
    return _RUNNING[pooling.name]() if isinstance(pooling, FramePooling) else None
