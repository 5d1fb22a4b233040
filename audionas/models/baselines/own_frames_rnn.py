"""Torch's recurrent layers over each clip's own frames, in one or both directions.

Each direction is a layer of its own: the backward one reads the clip's own frames in reverse order. Torch's packed
sequences do the same, but on a CPU a training step of an LSTM then takes six times as long (torch 2.13).
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from audionas.kernels.exporting import is_exporting
from audionas.models.onnx_forms import onnx_layers
from audionas.models.recipe_cell import reverse_frames

LAYERS: dict[str, type[nn.LSTM] | type[nn.GRU]] = {"lstm": nn.LSTM, "gru": nn.GRU}


class OwnFramesRnn(nn.Module):
    """(batch, frames, inputs), lengths -> (batch, frames, n_outputs); outputs in the padding have no meaning.

    Args:
        hidden: units of each direction.
        dropout: between layers, in training.
    """

    def __init__(
        self,
        kind: Literal["lstm", "gru"],
        n_inputs: int,
        hidden: int,
        *,
        n_layers: int = 1,
        bidirectional: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.hidden, self.dropout = hidden, dropout
        self.n_outputs = hidden * (2 if bidirectional else 1)
        widths = [n_inputs, *[self.n_outputs] * (n_layers - 1)]
        self.ahead = nn.ModuleList(LAYERS[kind](width, hidden, batch_first=True) for width in widths)
        self.back = nn.ModuleList(
            LAYERS[kind](width, hidden, batch_first=True) for width in widths[: n_layers * bidirectional]
        )

    def forward(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """What the last layer gives at each frame: the forward direction, then the backward one."""
        for number, ahead in enumerate(self.ahead):
            if number:
                x = functional.dropout(x, self.dropout, self.training)
            outputs = _through(ahead, x)
            if self.back:
                reverse = _through(self.back[number], reverse_frames(x, lengths))
                outputs = torch.cat([outputs, reverse_frames(reverse, lengths)], dim=-1)
            x = outputs
        return x

    def last_states(self, outputs: Tensor, lengths: Tensor | None) -> Tensor:
        """Of what `forward` gave, the state of each direction after the whole clip: (batch, n_outputs)."""
        if lengths is None:
            ahead = outputs[:, -1, : self.hidden]
        else:
            ahead = outputs[torch.arange(outputs.shape[0], device=outputs.device), lengths - 1, : self.hidden]
        return torch.cat([ahead, outputs[:, 0, self.hidden :]], dim=-1)


def _through(layer: nn.Module, x: Tensor) -> Tensor:
    """What one layer of one direction gives at each frame."""
    if is_exporting():
        return onnx_layers(layer, x, None)  # type: ignore[arg-type]
    return layer(x)[0]  # type: ignore[no-any-return]


def frames_of(x: Tensor) -> Tensor:
    """Maps (batch, channels, features, frames) as (batch, frames, channels * features)."""
    return x.flatten(1, 2).transpose(1, 2)
