"""The frame stream's network: recurrent layers of a recipe, pooling over frames, fully connected layers.

Source: Sun et al. 2022 (EmotionNAS), section 2.2.
"""

from __future__ import annotations

import torch
from torch import Tensor

from audionas.models.frame_skeleton import FrameSkeleton
from audionas.models.recipe_rnn import RecipeRnn
from audionas.spaces.recurrent_genotype import RecurrentGenotype


class FrameNetwork(FrameSkeleton):
    """x, lengths (batch,) -> logits (batch, classes); see `FrameSkeleton`.

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
        def make_rnn(width: int) -> RecipeRnn:
            return RecipeRnn(
                genotype, width, hidden, n_layers, bidirectional=bidirectional, emit=emit, drop_connect=drop_connect
            )

        super().__init__(make_rnn, n_inputs, n_classes, hidden, pooling, n_channels, channels)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Logits; padding beyond a clip's length changes nothing.

        Raises:
            SettingsError: frames of another width, no frames, or a length below 1 or above the frames given.
        """
        frames = self.own_frames(x, lengths)
        return self.classify(self.rnn(frames, lengths), lengths)

    def frame_outputs(self, x: Tensor) -> Tensor:
        """What the pooling reads, (batch, frames, values); of one direction no frame depends on later ones."""
        return self.rnn(self.own_frames(x, None))  # type: ignore[no-any-return]

    def running_logits(self, x: Tensor) -> Tensor:
        """The logits after each frame, (batch, frames, classes), each pooled over the frames so far.

        The last row is what `forward` gives without `lengths`. Of one direction no row depends on later frames.
        """
        outputs = self.frame_outputs(x)
        rows = [self.classify(outputs[:, :stop], None) for stop in range(1, outputs.shape[1] + 1)]
        return torch.stack(rows, dim=1)
