"""Batches of clips of any length, for training without labels: clips of like length together, padded no further.

Order and places of cuts are drawn from (seed, purpose, epoch) alone, as those of `EpochBatches` are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from audionas.seeding import generator
from audionas.training.batches import Batch, Normaliser
from audionas.training.clip_copies import FeatureRows

CHUNK = 20  # batches that are drawn together and then sorted by length among themselves


@dataclass(frozen=True)
class FrameClips:
    """Features of clips, and how they meet a network: own frames (rows,), statistics, the longest cut in frames."""

    features: FeatureRows
    own: np.ndarray
    normaliser: Normaliser
    longest: int

    def batch(self, rows: Sequence[int], starts: Sequence[int]) -> Batch:
        """The rows from their starts on, padded with 0 to the longest of them; targets are 0 and weights 1."""
        lengths = [min(int(self.own[row]) - start, self.longest) for row, start in zip(rows, starts, strict=True)]
        x = np.zeros((len(rows), *self.features[rows[0]].shape[:2], max(lengths)), np.float32)
        for place, (row, start, length) in enumerate(zip(rows, starts, lengths, strict=True)):
            x[place, :, :, :length] = self.normaliser(self.features[row][:, :, start : start + length])
        none = torch.zeros(len(rows), dtype=torch.int64)
        return torch.from_numpy(x), none, torch.ones(len(rows)), torch.tensor(lengths)

    def in_order(self, rows: Sequence[int], batch_size: int) -> Iterator[Batch]:
        """All rows once, by length; of longer clips the middle."""
        rows = sorted(rows, key=lambda row: (int(self.own[row]), row))
        for first in range(0, len(rows), batch_size):
            part = rows[first : first + batch_size]
            yield self.batch(part, [max(0, int(self.own[row]) - self.longest) // 2 for row in part])


class ShuffledFrames:
    """Batches of the epoch that `epoch()` names; longer clips are cut at a random place."""

    def __init__(
        self,
        clips: FrameClips,
        rows: Sequence[int],
        *,
        batch_size: int,
        seed: int,
        purpose: str,
        epoch: Callable[[], int],
    ) -> None:
        self._clips, self._rows, self._epoch = clips, np.asarray(rows), epoch
        self._batch_size, self._seed, self._purpose = batch_size, seed, purpose

    def __len__(self) -> int:
        return -(-len(self._rows) // self._batch_size)

    def __iter__(self) -> Iterator[Batch]:
        epoch = self._epoch()
        crops = generator(self._seed, self._purpose, "crops", epoch)
        for rows in self._order(epoch):
            spare = np.maximum(self._clips.own[rows] - self._clips.longest, 0)
            yield self._clips.batch(rows.tolist(), crops.integers(0, spare + 1).tolist())

    def _order(self, epoch: int) -> list[np.ndarray]:
        rng = generator(self._seed, self._purpose, "order", epoch)
        shuffled = rng.permutation(self._rows)
        batches: list[np.ndarray] = []
        for first in range(0, len(shuffled), CHUNK * self._batch_size):
            chunk = shuffled[first : first + CHUNK * self._batch_size]
            chunk = chunk[np.argsort(self._clips.own[chunk], kind="stable")]
            batches += [chunk[at : at + self._batch_size] for at in range(0, len(chunk), self._batch_size)]
        return [batches[place] for place in rng.permutation(len(batches))]
