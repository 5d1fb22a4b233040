"""Causal recurrent networks frame by frame: chunk after chunk gives what all frames at once give."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from audionas.errors import SettingsError
from audionas.models.frame_skeleton import FrameSkeleton
from audionas.models.recipe_cell import RecipeCell
from audionas.models.recipe_rnn import RecipeRnn
from audionas.models.running_pooling import running_pooling
from audionas.models.torch_rnn import TorchRnn

_STREAMS = "recurrent networks of one direction (a recurrent genotype with bidirectional: false, baseline lstm)"


class FrameStream:
    """A network in eval mode that has heard `n_frames` frames so far, and keeps its states and its pooling.

    Args:
        network: recurrent layers of one direction.

    Raises:
        SettingsError: the network needs the whole clip.
    """

    def __init__(self, network: nn.Module) -> None:
        fault = streaming_fault(network)
        if fault:
            raise SettingsError(f"streaming: {fault}; only {_STREAMS} can")
        assert isinstance(network, FrameSkeleton)
        self._network, self._layers = network, _layers(network.rnn)
        pooling = running_pooling(network.pooling)
        assert pooling is not None
        self._pooling, self.n_frames = pooling, 0

    @torch.no_grad()
    def push(self, x: Tensor) -> Tensor:
        """Logits (batch, classes) after these frames, of all frames so far.

        Args:
            x: (batch, channels, features, frames) float32, one frame at least; the batch stays the same.

        Raises:
            SettingsError: frames of another width, or none.
        """
        values = self._network.own_frames(x, None)
        for layer in self._layers:
            values = layer.push(values)
        self._pooling.update(values)
        self.n_frames += values.shape[1]
        return self._network.head(self._pooling.value())  # type: ignore[no-any-return]


def streaming_fault(network: nn.Module) -> str:
    """Why a network cannot be streamed; empty where it can."""
    if not isinstance(network, FrameSkeleton) or not isinstance(network.rnn, RecipeRnn | TorchRnn):
        return f"this network ({type(network).__name__}) needs the whole clip"
    is_both_ways = network.rnn.layers.bidirectional if isinstance(network.rnn, TorchRnn) else network.rnn.bidirectional
    if is_both_ways:
        return "this network runs over the clip in both directions"
    return "" if running_pooling(network.pooling) else "this network's pooling needs the whole clip"


class _RecipeLayer:
    """One layer of a recipe; its states are those after the last frame."""

    def __init__(self, cell: RecipeCell, emit: str) -> None:
        self._cell, self._emit, self._states = cell, emit, [torch.zeros(0)]
        self._has_begun = False

    def push(self, x: Tensor) -> Tensor:
        """(batch, frames, inputs) -> (batch, frames, outputs)."""
        if not self._has_begun:
            self._states, self._has_begun = self._cell.first_states(x), True
        outputs, weights = [], list(self._cell.weights)
        for frame in x.unbind(1):
            self._states = self._cell.step(frame, self._states, weights)
            outputs.append(self._states[0] if self._emit == "h0" else torch.cat(self._states[:2], dim=-1))
        return torch.stack(outputs, dim=1)


class _TorchLayers:
    """All of torch's layers; their state is that after the last frame."""

    def __init__(self, rnn: TorchRnn) -> None:
        self._layers, self._state = rnn.layers, None

    def push(self, x: Tensor) -> Tensor:
        """(batch, frames, inputs) -> (batch, frames, outputs)."""
        values, self._state = self._layers(x, self._state)
        return values  # type: ignore[no-any-return]


def _layers(rnn: nn.Module) -> list[_RecipeLayer | _TorchLayers]:
    if isinstance(rnn, TorchRnn):
        return [_TorchLayers(rnn)]
    assert isinstance(rnn, RecipeRnn)
    return [_RecipeLayer(cells[0], rnn.emit) for cells in rnn.layers]  # type: ignore[index]
