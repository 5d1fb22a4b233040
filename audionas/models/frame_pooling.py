"""Poolings over frames, padding masked: (batch, frames, values) and lengths -> (batch, outputs).

Sources: attention in two forms, additive (Bahdanau et al. 2015; the default reading of Sun et al. 2022,
section 2.2) and a single learned query; mean, max, last frame; mean and sd (statistics pooling). The last frame
suits networks of one direction: the backward direction starts there, so its value at that frame knows of no other.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from audionas.errors import SettingsError, unknown
from audionas.models.recipe_cell import frame_mask

SD_FLOOR = 1e-5  # of the variance


class AttentionPooling(nn.Module):
    """e_t = v . tanh(W h_t + b), or e_t = w . h_t with `additive=False`; a = softmax(e); sum of a_t h_t."""

    def __init__(self, width: int, *, additive: bool = True) -> None:
        super().__init__()
        self.n_outputs = width
        self.projection = nn.Linear(width, width) if additive else None
        self.query = nn.Linear(width, 1, bias=False)

    def weights(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """The share of each frame, (batch, frames): sums to 1, 0 in the padding."""
        energy = self.energy(x)
        if lengths is not None:
            energy = energy.masked_fill(~frame_mask(lengths, x.shape[1]), -torch.inf)
        return torch.softmax(energy, dim=1)

    def energy(self, x: Tensor) -> Tensor:
        """e_t of each frame, (batch, frames)."""
        hidden = x if self.projection is None else torch.tanh(self.projection(x))
        return self.query(hidden)[..., 0]  # type: ignore[no-any-return]

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """The weighted sum of the frames, (batch, values)."""
        return (self.weights(x, lengths)[:, :, None] * x).sum(dim=1)


class FramePooling(nn.Module):
    """A pooling without weights, by name: mean, max, last, statistics."""

    def __init__(self, width: int, name: str) -> None:
        super().__init__()
        self.name, self.pool = name, _PLAIN[name]
        self.n_outputs = 2 * width if name == "statistics" else width

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(batch, frames, values) -> (batch, outputs); only each clip's own frames count."""
        if lengths is None:
            lengths = torch.full((x.shape[0],), x.shape[1], device=x.device)
        return self.pool(x, lengths)


def _mean(x: Tensor, lengths: Tensor) -> Tensor:
    mask = frame_mask(lengths, x.shape[1])[:, :, None]
    return torch.where(mask, x, 0.0).sum(dim=1) / lengths[:, None]


def _max(x: Tensor, lengths: Tensor) -> Tensor:
    mask = frame_mask(lengths, x.shape[1])[:, :, None]
    return torch.where(mask, x, -torch.inf).amax(dim=1)


def _last(x: Tensor, lengths: Tensor) -> Tensor:
    """The values at each clip's last own frame; of a bidirectional network, the backward half has seen it alone."""
    return x[torch.arange(x.shape[0], device=x.device), lengths - 1]


def _statistics(x: Tensor, lengths: Tensor) -> Tensor:
    """Mean and population sd; a floor of the variance keeps the gradient finite."""
    mean = _mean(x, lengths)
    variance = _mean((x - mean[:, None, :]) ** 2, lengths)
    return torch.cat([mean, torch.sqrt(variance + SD_FLOOR)], dim=-1)


_PLAIN: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mean": _mean, "max": _max, "last": _last, "statistics": _statistics,
}  # fmt: skip

FRAME_POOLINGS: dict[str, Callable[[int], nn.Module]] = {
    "attention": lambda width: AttentionPooling(width),
    "attention_query": lambda width: AttentionPooling(width, additive=False),
    "mean": lambda width: FramePooling(width, "mean"),
    "max": lambda width: FramePooling(width, "max"),
    "last": lambda width: FramePooling(width, "last"),
    "statistics": lambda width: FramePooling(width, "statistics"),
}


def build_frame_pooling(name: str, width: int) -> nn.Module:
    """The pooling of a name.

    Raises:
        SettingsError: the name is not in `FRAME_POOLINGS`.
    """
    if name not in FRAME_POOLINGS:
        raise SettingsError(unknown("pooling", name, FRAME_POOLINGS))
    return FRAME_POOLINGS[name](width)
