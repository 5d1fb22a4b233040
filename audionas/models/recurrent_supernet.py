"""The recurrent supernet: every node of its cells mixes its candidate inputs and its candidate operations.

Source: Liu et al. 2019 (DARTS), equation 2 and section 3.2: alphas are shared by all layers and directions, and drawn
as 1e-3 times a standard normal. See `mixed_recipe_cell.py` for what is not as in DARTS.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from audionas.models.frame_skeleton import FrameSkeleton
from audionas.models.mixed_recipe_cell import MixedRecipeCell, Mixture
from audionas.models.recipe_cell import reverse_frames
from audionas.spaces.darts_recurrent import SLOTS, DartsRecurrentSpace
from audionas.spaces.recipe_draft import RecipeDraft
from audionas.spaces.recurrent_genotype import RecurrentGenotype, RecurrentMacro


class MixedRnn(nn.Module):
    """Stacked layers of `MixedRecipeCell`, one or both directions, as `RecipeRnn` stacks a recipe."""

    def __init__(self, space: DartsRecurrentSpace, n_inputs: int, macro: RecurrentMacro) -> None:
        super().__init__()
        self.macro = macro
        n_directions = 2 if macro.bidirectional else 1
        self.n_outputs = macro.hidden * n_directions * (2 if macro.emit == "h0+h1" else 1)
        self.layers = nn.ModuleList()
        for layer in range(macro.n_layers):
            width = n_inputs if layer == 0 else self.n_outputs
            cells = (MixedRecipeCell(space, width, macro.hidden, macro.drop_connect) for _ in range(n_directions))
            self.layers.append(nn.ModuleList(cells))

    def forward(self, x: Tensor, lengths: Tensor | None, how: Mixture | RecipeDraft) -> Tensor:
        """x (batch, frames, inputs), lengths (batch,) int64 -> (batch, frames, n_outputs), 0 in the padding."""
        emit = self.macro.emit
        for cells in self.layers:
            outputs = [cells[0](x, lengths, emit, how)]  # type: ignore[index]
            if self.macro.bidirectional:
                backward = cells[1](reverse_frames(x, lengths), lengths, emit, how)  # type: ignore[index]
                outputs.append(reverse_frames(backward, lengths))
            x = torch.cat(outputs, dim=-1)
        return x


class RecurrentSupernet(FrameSkeleton):
    """All networks of a `DartsRecurrentSpace` at once.

    `arch_parameters()` are the alphas: one vector, (options,), float32, logits, for each label of `space.choices()`.
    `mixing` turns one into the weights of its options; with one-hot weights the network is exactly that of the
    genotype of these options (of an input or output that is taken, the next one), as long as no value of a node
    leaves +-`mixed_recipe_cell.LIMIT`.
    """

    def __init__(
        self, space: DartsRecurrentSpace, macro: RecurrentMacro, input_shape: tuple[int, int, int], n_classes: int
    ) -> None:
        def make_rnn(width: int) -> MixedRnn:
            return MixedRnn(space, width, macro)

        n_channels, n_inputs, _ = input_shape
        super().__init__(make_rnn, n_inputs, n_classes, macro.hidden, macro.pooling, n_channels, macro.channels)
        self.space = space
        self.mixing: Callable[[Tensor], Tensor] = softmax
        for label, options in space.choices().items():
            self.register_parameter(f"alphas_{label}", nn.Parameter(1e-3 * torch.randn(len(options))))

    def arch_parameters(self) -> list[nn.Parameter]:
        """The alphas in the order of `space.choices()`, which is part of the contract."""
        return [self.alphas(label) for label in self.space.choices()]

    def alphas(self, label: str) -> nn.Parameter:
        """The alphas of a decision, (options,)."""
        return self.get_parameter(f"alphas_{label}")

    def forward(
        self, x: Tensor, lengths: Tensor | None = None, genotype: RecurrentGenotype | None = None
    ) -> Tensor:
        """(batch, channels, features, frames) -> logits; with `genotype`, of that sub-network alone.

        `lengths` (batch,): own frames of each clip; padding beyond them changes nothing.

        Raises:
            SettingsError: frames of another width, no frames, or a length below 1 or above the frames given.
            GenotypeError: `genotype` is not of this space.
        """
        frames = self.own_frames(x, lengths)
        how = self.mixture() if genotype is None else self.space.draft(genotype)
        return self.classify(self.rnn(frames, lengths, how), lengths)

    def mixture(self) -> Mixture:
        """The weights of all choices, by one call of `mixing` a decision."""
        weights = {label: self.mixing(self.alphas(label)) for label in self.space.choices()}
        alone = next(self.parameters()).new_ones(1)
        options, n_states = self.space.options(), self.space.states

        def of(label: str) -> Tensor:
            return weights.get(label, alone)

        inputs = []
        for i in range(1, self.space.nodes.max):
            a = torch.cat([alone.new_zeros(n_states), of(f"n{i}_a")])
            others = [of(f"n{i}_{slot}") for slot in SLOTS[1:] if f"n{i}_{slot}" in options]
            inputs.append(moved_on([a, *others]))
        outputs = moved_on([of(f"out_{s}") for s in range(n_states)])
        return Mixture(tuple(of(f"n{i}_op") for i in range(1, self.space.nodes.max)), tuple(inputs), outputs)

    def genotype(self) -> RecurrentGenotype:
        """Derivation: the options with the largest alphas; see `DartsRecurrentSpace.strongest`."""
        numbers = {label: self.alphas(label).detach().double().tolist() for label in self.space.choices()}
        return self.space.genotype(self.space.strongest(numbers))


def softmax(alphas: Tensor) -> Tensor:
    """Softmax over the last axis: (..., options) -> (..., options)."""
    return torch.softmax(alphas, dim=-1)


def moved_on(weights: list[Tensor]) -> Tensor:
    """Weights over the same options, each (options,), of choices that must differ: (choices, options).

    Where a choice falls on an option that an earlier one has, its weight moves on to the next option (after the last
    the first), as a sample is repaired. Weights keep their sum, and one-hot ones stay one-hot.
    """
    found = weights[:1]
    for weight in weights[1:]:
        taken = torch.stack(found).sum(0)
        kept = weight * (1.0 - taken)
        for _ in found[1:]:
            weight = (weight * taken).roll(1)
            kept = kept + weight * (1.0 - taken)
        found.append(kept + (weight * taken).roll(1))
    return torch.stack(found)
