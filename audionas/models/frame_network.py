"""The frame stream's network: recurrent layers of a recipe, pooling over frames, fully connected layers.

Source: Sun et al. 2022 (EmotionNAS), section 2.2. The head is one layer where the pooled width is the hidden
size, else two (to the hidden size, ReLU, to the classes): the reading that gives the paper's sizes.
"""

from __future__ import annotations

from torch import Tensor, nn

from audionas.models.frame_pooling import build_frame_pooling
from audionas.models.recipe_rnn import RecipeRnn
from audionas.spaces.recurrent_genotype import RecurrentGenotype


class FrameNetwork(nn.Module):
    """x (batch, frames, inputs), lengths (batch,) -> logits (batch, classes)."""

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
    ) -> None:
        super().__init__()
        self.rnn = RecipeRnn(
            genotype, n_inputs, hidden, n_layers, bidirectional=bidirectional, emit=emit, drop_connect=drop_connect
        )
        self.pooling = build_frame_pooling(pooling, self.rnn.n_outputs)
        width = int(self.pooling.n_outputs)  # type: ignore[arg-type]
        self.head: nn.Module
        if width == hidden:
            self.head = nn.Linear(width, n_classes)
        else:
            self.head = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, n_classes))

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Logits; padding beyond a clip's length changes nothing."""
        return self.head(self.pooling(self.rnn(x, lengths), lengths))  # type: ignore[no-any-return]
