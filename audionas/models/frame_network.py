"""The frame stream's network: recurrent layers of a recipe, pooling over frames, fully connected layers.

Source: Sun et al. 2022 (EmotionNAS), section 2.2. The head is one layer where the pooled width is the hidden
size, else two (to the hidden size, ReLU, to the classes): the reading that gives the paper's sizes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from audionas.errors import SettingsError
from audionas.models.frame_pooling import build_frame_pooling
from audionas.models.recipe_rnn import RecipeRnn
from audionas.spaces.recurrent_genotype import RecurrentGenotype


class FrameNetwork(nn.Module):
    """x, lengths (batch,) -> logits (batch, classes).

    x is (batch, frames, inputs), or (batch, channels, features, frames) as feature caches hold it: then a frame
    is all channels side by side, or, with `channels="weighted_sum"`, their learned average (the layers of a
    pretrained encoder; Yang et al. 2021, SUPERB, section 3).

    Args:
        n_inputs: features of a frame; of each channel.

    Raises:
        SettingsError: `channels`, `emit` or `pooling` is unknown, or the recipe has no second state to emit.
    """

    def __init__(
        self,
        genotype: RecurrentGenotype,
        n_inputs: int,
        n_classes: int,
        *,
        hidden: int = 256,
        n_layers: int = 2,
        bidirectional: bool = True,
        emit: str = "h0",
        pooling: str = "attention",
        drop_connect: float = 0.0,
        n_channels: int = 1,
        channels: str = "stack",
    ) -> None:
        super().__init__()
        self.n_inputs, self.n_channels = n_inputs, n_channels
        self.layer_weights = nn.Parameter(torch.zeros(n_channels)) if channels == "weighted_sum" else None
        width = n_inputs if channels == "weighted_sum" else n_inputs * n_channels
        self.rnn = RecipeRnn(
            genotype, width, hidden, n_layers, bidirectional=bidirectional, emit=emit, drop_connect=drop_connect
        )
        self.pooling = build_frame_pooling(pooling, self.rnn.n_outputs)
        pooled = int(self.pooling.n_outputs)  # type: ignore[arg-type]
        self.head: nn.Module
        if pooled == hidden:
            self.head = nn.Linear(pooled, n_classes)
        else:
            self.head = nn.Sequential(nn.Linear(pooled, hidden), nn.ReLU(), nn.Linear(hidden, n_classes))

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Logits; padding beyond a clip's length changes nothing.

        Raises:
            SettingsError: frames of another width, no frames, or a length below 1 or above the frames given.
        """
        frames = self._frames(x)
        if lengths is not None:
            _check_lengths(lengths, frames.shape[1])
            frames = frames[:, : int(lengths.max())]
        return self.head(self.pooling(self.rnn(frames, lengths), lengths))  # type: ignore[no-any-return]

    def frame_outputs(self, x: Tensor) -> Tensor:
        """What the pooling reads, (batch, frames, values); of one direction no frame depends on later ones."""
        return self.rnn(self._frames(x))  # type: ignore[no-any-return]

    def running_logits(self, x: Tensor) -> Tensor:
        """The logits after each frame, (batch, frames, classes), each pooled over the frames so far.

        The last row is what `forward` gives without `lengths`. Of one direction no row depends on later frames.
        """
        outputs = self.frame_outputs(x)
        rows = [self.head(self.pooling(outputs[:, :stop])) for stop in range(1, outputs.shape[1] + 1)]
        return torch.stack(rows, dim=1)

    def _frames(self, x: Tensor) -> Tensor:
        if x.dim() == 3:
            x = x.transpose(1, 2)[:, None]
        if x.dim() != 4 or x.shape[1:3] != (self.n_channels, self.n_inputs) or x.shape[3] < 1:
            raise SettingsError(
                f"frames (batch, channels, features, frames) {tuple(x.shape)}: this network expects {self.n_channels} "
                f"channel(s) of {self.n_inputs} features and at least one frame; use the features of its search"
            )
        if self.layer_weights is not None:
            share = torch.softmax(self.layer_weights, dim=0)
            return torch.einsum("c,bcft->btf", share, x)
        return x.flatten(1, 2).transpose(1, 2)


def _check_lengths(lengths: Tensor, n_frames: int) -> None:
    least, most = int(lengths.min()), int(lengths.max())
    if least < 1 or most > n_frames:
        raise SettingsError(f"lengths from {least} to {most}, must be 1 to {n_frames}: a clip needs at least one frame")
