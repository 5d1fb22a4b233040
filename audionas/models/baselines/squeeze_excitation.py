"""Squeeze and excitation: each channel weighted by what all channels are on average (Hu, Shen, Sun 2018)."""

from __future__ import annotations

from torch import Tensor, nn

from audionas.models.masked_maps import masked_average


class SqueezeExcitation(nn.Module):
    """(batch, channels, features, frames), 0 in the padding -> the same shape; the average is of own frames only."""

    def __init__(self, n_channels: int, reduction: int) -> None:
        super().__init__()
        n_squeezed = max(1, n_channels // reduction)
        self.weigh = nn.Sequential(
            nn.Linear(n_channels, n_squeezed), nn.ReLU(), nn.Linear(n_squeezed, n_channels), nn.Sigmoid()
        )

    def forward(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Every channel times its weight, between 0 and 1."""
        return x * self.weigh(masked_average(x, lengths))[:, :, None, None]  # type: ignore[no-any-return]
