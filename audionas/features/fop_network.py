"""The network of Future Observation Prediction: a causal self-attention encoder, and the frame that comes next.

Source: Lian, Tao, Liu, Huang 2019, "Unsupervised Representation Learning with Future Observation Prediction for
Speech Emotion Recognition", section 2.1 and figure 2; Vaswani et al. 2017 for the attention layer. With the
paper's sizes (80 bands, width 256, 4 heads, inner width 513, 2 layers) it has 1,096,530 parameters: embedding
20,736, each layer 527,617, output 20,560.

Open in the paper, and read so: queries, keys, values, their output, the embedding and the prediction have biases;
dropout stands where Vaswani et al. have it, on the embedded frames and on each sub-layer's output before the
residual sum, and not on the weights of the attention. The first frame, which nothing precedes, is not predicted.
"""

from __future__ import annotations

from typing import Annotated, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional

from audionas.kernels.exporting import is_exporting
from audionas.records import Record

LONGEST_WAVE = 10_000.0
_Size = Annotated[int, Field(ge=1, le=100_000)]


class FopSizes(Record):
    """Sizes of the encoder; defaults as the paper has them."""

    width: _Size = 256
    n_heads: _Size = 4
    inner: _Size = 513
    n_layers: Annotated[int, Field(ge=1, le=64)] = 2
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2

    @model_validator(mode="after")
    def _check_heads(self) -> Self:
        if self.width % self.n_heads:
            raise ValueError(f"width {self.width} must be a multiple of n_heads {self.n_heads}")
        return self

    def encoder(self, n_bands: int) -> FopEncoder:
        """The encoder of these sizes with random weights."""
        return FopEncoder(n_bands, self.width, self.n_heads, self.inner, self.n_layers, self.dropout)


class AttentionLayer(nn.Module):
    """One layer: masked self-attention, then a feed-forward net; after each, residual sum and LayerNorm.

    A frame attends to itself and to earlier frames alone. So the padding after a clip's end, which is later than
    each of its frames, needs no mask of its own.
    """

    def __init__(self, width: int, n_heads: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.joined = nn.Linear(width, width)
        self.attention_norm = nn.LayerNorm(width)
        self.inner = nn.Linear(width, inner)
        self.outer = nn.Linear(inner, width)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, frames, width) to the same."""
        x = self.attention_norm(x + self.dropout(self._attended(x)))
        forward: Tensor = self.feed_forward_norm(x + self.dropout(self.outer(torch.relu(self.inner(x)))))
        return forward

    def _attended(self, x: Tensor) -> Tensor:
        batch, frames, width = x.shape
        parts = self.queries_keys_values(x).view(batch, frames, 3, self.n_heads, width // self.n_heads)
        queries, keys, values = parts.permute(2, 0, 3, 1, 4)
        # is_causal without a mask and without dropout: torch then never holds frames x frames weights of a minute
        heads = functional.scaled_dot_product_attention(queries, keys, values, is_causal=True)
        joined: Tensor = self.joined(heads.transpose(1, 2).reshape(batch, frames, width))
        return joined


class FopEncoder(nn.Module):
    """Embedding, positions and attention layers: (batch, frames, bands) to (batch, frames, width)."""

    def __init__(self, n_bands: int, width: int, n_heads: int, inner: int, n_layers: int, dropout: float) -> None:
        super().__init__()
        self.embedding = nn.Linear(n_bands, width)
        self.layers = nn.ModuleList(AttentionLayer(width, n_heads, inner, dropout) for _ in range(n_layers))
        self.dropout = nn.Dropout(dropout)

    def forward(self, frames: Tensor) -> Tensor:
        """h_L, the output of the last layer."""
        return self.levels(frames)[-1]

    def levels(self, frames: Tensor) -> list[Tensor]:
        """p (the embedded frames, without positions), h_1, ..., h_L: each (batch, frames, width)."""
        embedded = self.embedding(frames)
        levels = [embedded]
        x = self.dropout(embedded + positions(frames.shape[1], embedded.shape[2], embedded.device).to(embedded))
        for layer in self.layers:
            levels.append(x := layer(x))
        return levels

    @torch.no_grad()
    def move_input(self, mean: Tensor, std: Tensor, old_mean: Tensor, old_std: Tensor) -> None:
        """Take frames standardised by `mean` and `std`, and embed them as before those by the old ones; each (bands,).

        So weights that were trained with one corpus's statistics meet the same values under another's.
        """
        weight = self.embedding.weight.double()
        moved = weight @ ((mean - old_mean) / old_std).double()
        self.embedding.bias.add_(moved.to(self.embedding.bias))
        self.embedding.weight.mul_((std / old_std).to(self.embedding.weight))


class NextFrame(nn.Module):
    """The encoder with the output layer of the pre-training: what frame t + 1 will be, from the frames up to t."""

    def __init__(self, encoder: FopEncoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.output = nn.Linear(encoder.embedding.out_features, encoder.embedding.in_features)

    def forward(self, frames: Tensor) -> Tensor:
        """(batch, frames, bands) to the same; at place t stands the prediction of frame t + 1."""
        predicted: Tensor = self.output(self.encoder(frames))
        return predicted


def positions(n_frames: int, width: int, device: torch.device | None = None) -> Tensor:
    """Sines and cosines of each place, (frames, width), float32: equations 2 and 3 of the paper."""
    pairs = torch.arange(0, width, 2, dtype=torch.float64, device=device)
    angles = torch.arange(n_frames, dtype=torch.float64, device=device)[:, None] / LONGEST_WAVE ** (pairs / width)
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)[:, :width].float()


def own_frames(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Feature maps as frames: (batch, 1, bands, frames) to (batch, frames, bands), without what is padding in all."""
    keeps_all = lengths is None or is_exporting() or not lengths.is_cpu  # a GPU would be waited for
    longest = x.shape[3] if keeps_all else int(lengths.max())  # type: ignore[union-attr]
    return x[:, 0, :, :longest].transpose(1, 2)
