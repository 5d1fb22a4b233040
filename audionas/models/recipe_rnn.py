"""Stacked recurrent layers of one recipe: any number of layers, one or both directions.

Source: Klyuchnikov et al. 2020 for the stacking; Sun et al. 2022 (EmotionNAS), section 3.3 for L and h.
"""

from __future__ import annotations

from torch import Tensor, cat, nn

from audionas.errors import SettingsError
from audionas.models.recipe_cell import EMITS, RecipeCell
from audionas.spaces.recurrent_genotype import RecurrentGenotype


class RecipeRnn(nn.Module):
    """`n_layers` layers of a recipe; what a layer emits, of both directions, is the next layer's input.

    Args:
        n_inputs: width of a frame.
        hidden: width of a hidden state.
        emit: `h0`, or `h0+h1`: both hidden states are passed on.
        drop_connect: probability for hidden-to-hidden weights, in training.

    Raises:
        SettingsError: `emit` is unknown, or asks for a second state that the recipe has not.
    """

    def __init__(
        self,
        genotype: RecurrentGenotype,
        n_inputs: int,
        hidden: int,
        n_layers: int = 1,
        *,
        bidirectional: bool = False,
        emit: str = "h0",
        drop_connect: float = 0.0,
    ) -> None:
        super().__init__()
        if emit not in EMITS:
            raise SettingsError(f"emit: got {emit!r}; accepted: {', '.join(EMITS)}")
        if emit == "h0+h1" and genotype.n_states < 2:
            raise SettingsError("emit: h0+h1 needs a recipe with two hidden states or more")
        self.emit, self.bidirectional = emit, bidirectional
        n_directions = 2 if bidirectional else 1
        self.n_outputs = hidden * n_directions * (2 if emit == "h0+h1" else 1)
        self.layers = nn.ModuleList()
        for layer in range(n_layers):
            width = n_inputs if layer == 0 else self.n_outputs
            cells = (RecipeCell(genotype, width, hidden, drop_connect) for _ in range(n_directions))
            self.layers.append(nn.ModuleList(cells))

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """x (batch, frames, inputs), lengths (batch,) int64 -> (batch, frames, n_outputs), 0 in the padding.

        A padded batch gives each clip exactly what it gets alone.
        """
        for cells in self.layers:
            outputs = [cells[0](x, lengths, self.emit)]  # type: ignore[index]
            if self.bidirectional:
                outputs.append(cells[1](x, lengths, self.emit, is_reversed=True))  # type: ignore[index]
            x = cat(outputs, dim=-1)
        return x
