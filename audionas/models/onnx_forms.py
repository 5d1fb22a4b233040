"""Loops over frames in the forms that ONNX has: `Scan`, `LSTM` and `GRU`, all with any number of clips and frames.

Used while a network is exported (`audionas.kernels.exporting`), in the place of what it computes otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

Step = Callable[[list[Tensor], Tensor], tuple[list[Tensor], Tensor]]

# Where ONNX has the gates that torch has in the order input, forget, cell, output, or reset, update, new.
GATES = {"LSTM": (0, 3, 1, 2), "GRU": (1, 0, 2)}


def scan_frames(step: Step, states: Sequence[Tensor], x: Tensor) -> Tensor:
    """x (batch, frames, values) -> (batch, frames, outputs), as one `Scan`.

    Args:
        step: (states, frame (batch, values)) -> (the next states, of the same shapes, and what leaves at this frame).
    """
    from torch._higher_order_ops.scan import scan

    def combine(carry: tuple[Tensor, ...], frame: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        after, output = step(list(carry), frame)
        return tuple(_own(value) for value in after), _own(output)

    _, outputs = scan(combine, tuple(states), x.transpose(0, 1), dim=0)
    return cast(Tensor, outputs).transpose(0, 1)


def _own(value: Tensor) -> Tensor:
    """A scan may hand on no view of what it was given, nor one value twice."""
    return value.clone(memory_format=torch.contiguous_format)


def onnx_layers(layers: nn.LSTM | nn.GRU, x: Tensor, lengths: Tensor | None) -> Tensor:
    """What torch's layers give for padded clips in eval mode, 0 in the padding: (batch, frames, values).

    Args:
        x: (batch, frames, inputs).
        lengths: (batch,) own frames; the backward direction starts at a clip's own last frame. None: all are own.
    """
    values = x.transpose(0, 1)
    own = None if lengths is None else lengths.to(torch.int32)
    for layer in range(layers.num_layers):
        values = _layer(layers, layer, values, own)
    return values.transpose(0, 1)


def _layer(layers: nn.LSTM | nn.GRU, layer: int, x: Tensor, own: Tensor | None) -> Tensor:
    """One layer of both directions: (frames, batch, inputs) -> (frames, batch, directions * hidden)."""
    suffixes = ("", "_reverse") if layers.bidirectional else ("",)
    weights, recurrent, first, second = (
        torch.stack([_gates(layers, f"{name}_l{layer}{suffix}") for suffix in suffixes])
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    kind, hidden, (n_frames, n_clips) = type(layers).__name__, layers.hidden_size, x.shape[:2]
    attributes: dict[str, Any] = {
        "hidden_size": hidden, "direction": "bidirectional" if layers.bidirectional else "forward",
    }  # fmt: skip
    if kind == "GRU":
        attributes["linear_before_reset"] = 1
    inputs = (x, weights, recurrent, torch.cat([first, second], dim=1), own)
    outputs = torch.onnx.ops.symbolic(
        kind, inputs, attributes, dtype=x.dtype, shape=(n_frames, len(suffixes), n_clips, hidden)
    )
    return outputs.transpose(1, 2).flatten(2)


def _gates(layers: nn.LSTM | nn.GRU, name: str) -> Tensor:
    """A weight or bias with the gates in ONNX's order."""
    value, hidden = getattr(layers, name), layers.hidden_size
    return torch.cat([value[k * hidden : (k + 1) * hidden] for k in GATES[type(layers).__name__]])
