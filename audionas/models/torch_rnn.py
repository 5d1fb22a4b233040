"""Torch's own LSTM and GRU layers in the place of a recipe's: what a searched cell is measured against."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from audionas.kernels.exporting import is_exporting
from audionas.models.frame_skeleton import FrameSkeleton
from audionas.models.onnx_forms import onnx_layers
from audionas.models.recipe_cell import frame_mask, reverse_frames

LAYERS: dict[str, type[nn.LSTM] | type[nn.GRU]] = {"lstm": nn.LSTM, "gru": nn.GRU}


class TorchRnn(nn.Module):
    """Stacked layers of torch: (batch, frames, inputs) and lengths -> (batch, frames, n_outputs), 0 in the padding.

    A padded batch gives each clip what it gets alone: the backward direction starts at a clip's own last frame.
    Parameters of a layer and direction, of g gates (LSTM 4, GRU 3): g hidden (inputs + hidden + 2), with both of
    torch's biases.

    Args:
        cell: a name of `LAYERS`.
        dropout: probability for what a layer but the last hands on, in training.
    """

    def __init__(
        self, cell: str, n_inputs: int, hidden: int, n_layers: int, *, bidirectional: bool, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.n_outputs = hidden * (2 if bidirectional else 1)
        self.layers = LAYERS[cell](
            n_inputs, hidden, n_layers, batch_first=True, bidirectional=bidirectional,
            dropout=dropout if n_layers > 1 else 0.0,
        )  # fmt: skip

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """x (batch, frames, inputs), lengths (batch,) int64 -> (batch, frames, n_outputs)."""
        if is_exporting():
            return onnx_layers(self.layers, x, lengths)
        if lengths is None:
            return self.layers(x)[0]  # type: ignore[no-any-return]
        return own_outputs(self.layers, x, lengths)


def own_outputs(layers: nn.LSTM | nn.GRU, x: Tensor, lengths: Tensor) -> Tensor:
    """What layers of torch (batch first, with biases) give at each clip's own frames, 0 in the padding.

    x (batch, frames, inputs), lengths (batch,) int64 -> (batch, frames, outputs). Torch's packed sequences want the
    lengths on the host, for which a GPU would be waited for at every step: there each direction runs by itself.
    """
    if not lengths.is_cpu:
        return direction_by_direction(layers, x, lengths)
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    return pad_packed_sequence(layers(packed)[0], batch_first=True, total_length=x.shape[1])[0]


def direction_by_direction(layers: nn.LSTM | nn.GRU, x: Tensor, lengths: Tensor) -> Tensor:
    """`own_outputs` without packing: what follows a clip's own frames cannot reach them, in either direction."""
    is_own = frame_mask(lengths, x.shape[1])[:, :, None]
    for layer in range(layers.num_layers):
        if layer:
            x = functional.dropout(x, layers.dropout, layers.training)
        outputs = [_one_direction(layers, f"l{layer}", x)]
        if layers.bidirectional:
            reverse = _one_direction(layers, f"l{layer}_reverse", reverse_frames(x, lengths))
            outputs.append(reverse_frames(reverse, lengths))
        x = torch.where(is_own, torch.cat(outputs, dim=-1), 0.0)
    return x


def _one_direction(layers: nn.LSTM | nn.GRU, suffix: str, x: Tensor) -> Tensor:
    weights = [getattr(layers, f"{name}_{suffix}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    state = x.new_zeros(1, x.shape[0], layers.hidden_size)
    settings = (weights, True, 1, 0.0, layers.training, False, True)  # biases, layers, dropout, ..., batch first
    if isinstance(layers, nn.LSTM):
        return torch.lstm(x, (state, state), *settings)[0]
    return torch.gru(x, state, *settings)[0]


class TorchFrameNetwork(FrameSkeleton):
    """x, lengths (batch,) -> logits (batch, classes), with torch's layers inside the frame stream's skeleton.

    Args:
        n_inputs: features of a frame; of each channel.

    Raises:
        SettingsError: `pooling` is unknown.
    """

    def __init__(
        self,
        cell: str,
        n_inputs: int,
        n_classes: int,
        *,
        bidirectional: bool,
        hidden: int = 128,
        n_layers: int = 1,
        pooling: str = "attention",
        dropout: float = 0.0,
        n_channels: int = 1,
        channels: str = "stack",
    ) -> None:
        def make_rnn(width: int) -> TorchRnn:
            return TorchRnn(cell, width, hidden, n_layers, bidirectional=bidirectional, dropout=dropout)

        super().__init__(make_rnn, n_inputs, n_classes, hidden, pooling, n_channels, channels)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Logits; padding beyond a clip's length changes nothing.

        Raises:
            SettingsError: frames of another width, no frames, or a length below 1 or above the frames given.
        """
        return self.classify(self.rnn(self.own_frames(x, lengths), lengths), lengths)
