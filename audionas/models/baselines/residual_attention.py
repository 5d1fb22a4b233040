"""Residual blocks of dilated convolutions over time, and self-attention over own frames.

Sources: Yu, Koltun, Funkhouser 2017 (dilated residual networks), here over time alone; Vaswani et al. 2017
(attention by several heads, scaled by the square root of their width, norm after the sum).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from audionas.models.baselines.own_positions import ConvBlock, OwnBatchNorm
from audionas.models.masked_maps import masked
from audionas.models.recipe_cell import frame_mask


class DilatedResidual(nn.Module):
    """relu(x + norm(conv(relu(norm(conv(x)))))) with kernels of 3 frames: (batch, width, 1, frames) kept."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.first = ConvBlock(width, width, (1, 3), dilation=dilation)
        self.conv = nn.Conv2d(width, width, (1, 3), dilation=dilation, padding=(0, dilation), bias=False)
        self.norm = OwnBatchNorm(width)

    def forward(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Maps that are 0 in the padding."""
        inner, _ = self.first(x, lengths)
        return torch.relu(x + self.norm.of_own(masked(self.conv(inner), lengths), lengths))


class SelfAttention(nn.Module):
    """norm(x + attention(x)) over frames (batch, frames, width); no frame looks at padding."""

    def __init__(self, width: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(width, n_heads, dropout=dropout, batch_first=True)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """What stands in the padding afterwards has no meaning."""
        padding = None if lengths is None else ~frame_mask(lengths, x.shape[1])
        attended, _ = self.attention(x, x, x, key_padding_mask=padding, need_weights=False)
        return self.norm(x + attended)  # type: ignore[no-any-return]
