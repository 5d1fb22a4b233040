"""Structured self-attention: several weighted means over frames, side by side; padding masked.

Source: Lin et al., "A Structured Self-Attentive Sentence Embedding", ICLR 2017, section 2.1, as Li, Zhao, Kawahara
2019 have it (equations 7 to 9).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from audionas.models.recipe_cell import frame_mask


class StructuredAttention(nn.Module):
    """a_j = softmax(w_s2,j tanh(W_s1 H^T)), z = the heads' a_j H side by side; neither matrix has a bias."""

    def __init__(self, width: int, hidden: int, heads: int) -> None:
        super().__init__()
        self.n_outputs = heads * width
        self.first = nn.Linear(width, hidden, bias=False)
        self.second = nn.Linear(hidden, heads, bias=False)
        for layer in (self.first, self.second):
            nn.init.xavier_uniform_(layer.weight)

    def weights(self, states: Tensor, lengths: Tensor | None = None) -> Tensor:
        """The share of each frame in each head, (batch, heads, frames): sums to 1, 0 in the padding."""
        energy = self.second(torch.tanh(self.first(states))).transpose(1, 2)
        if lengths is not None:
            energy = energy.masked_fill(~frame_mask(lengths, states.shape[1])[:, None, :], -torch.inf)
        return torch.softmax(energy, dim=2)

    def forward(self, states: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(batch, frames, width) -> (batch, heads * width)."""
        return (self.weights(states, lengths) @ states).flatten(1)
