"""Convolution, BN and ReLU over feature maps of which some frames are padding."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from audionas.models.recipe_cell import frame_mask


@dataclass(frozen=True, eq=False)
class MaskedMaps:
    """Feature maps (batch, channels, features, frames), 0 beyond `lengths` (batch,) own frames; None: all are own."""

    values: Tensor
    lengths: Tensor | None

    @staticmethod
    def of(values: Tensor, lengths: Tensor | None) -> MaskedMaps:
        """Maps with zeros in place of their padding."""
        if lengths is None:
            return MaskedMaps(values, None)
        own = frame_mask(lengths, values.shape[3])[:, None, None, :]
        return MaskedMaps(torch.where(own, values, 0.0), lengths)

    def max_pooled(self) -> MaskedMaps:
        """2x2 max pooling of maps >= 0, sizes rounded up.

        Of an odd number of own frames the last stands with a zero of the padding, which is never above it.
        """
        pooled = functional.max_pool2d(self.values, 2, ceil_mode=True)
        return MaskedMaps.of(pooled, None if self.lengths is None else (self.lengths + 1) // 2)

    def positions(self) -> Tensor:
        """Which positions are own: (batch or 1, 1, 1, frames) bool."""
        n_frames = self.values.shape[3]
        if self.lengths is None:
            return torch.ones(1, 1, 1, n_frames, dtype=torch.bool, device=self.values.device)
        return frame_mask(self.lengths, n_frames)[:, None, None, :]

    def mean(self) -> Tensor:
        """The mean over own positions, (batch, channels)."""
        if self.lengths is None:
            return self.values.mean(dim=(2, 3))
        return self.values.sum(dim=(2, 3)) / (self.lengths[:, None] * self.values.shape[2])


class ConvLayer(nn.Module):
    """Convolution with bias that keeps the size, BN, ReLU; of an even filter the larger half of the zeros is after."""

    def __init__(self, channels_in: int, channels_out: int, kernel: tuple[int, int]) -> None:
        super().__init__()
        before = [(size - 1) // 2 for size in kernel]
        after = [size // 2 for size in kernel]
        self.zeros = (before[1], after[1], before[0], after[0])
        self.conv = nn.Conv2d(channels_in, channels_out, kernel)
        self.norm = nn.BatchNorm2d(channels_out)

    def forward(self, maps: MaskedMaps) -> MaskedMaps:
        """(batch, channels_in, features, frames) -> (batch, channels_out, features, frames), >= 0."""
        values = torch.relu(self.norm(self.conv(functional.pad(maps.values, self.zeros))))
        return MaskedMaps.of(values, maps.lengths)
