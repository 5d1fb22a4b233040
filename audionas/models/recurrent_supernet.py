"""The recurrent supernet: every node of its cells mixes its candidate inputs and its candidate operations.

Source: Liu et al. 2019 (DARTS), equation 2 and section 3.2: alphas are shared by all layers and directions, and drawn
as 1e-3 times a standard normal. See `mixed_recipe_cell.py` for what is not as in DARTS.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean
from typing import Any, cast

import torch
from torch import Tensor, nn

from audionas.models.frame_network import FrameNetwork
from audionas.models.frame_skeleton import FrameSkeleton
from audionas.models.mixed_recipe_cell import MixedRecipeCell, Mixture
from audionas.models.mixing import Mixing, PathMixing
from audionas.models.recipe_cell import reverse_frames
from audionas.models.supernet import Supernet
from audionas.spaces import Genotype
from audionas.spaces.darts_recurrent import KINDS, SLOTS, DartsRecurrentSpace, decided_by
from audionas.spaces.recipe_draft import RecipeDraft
from audionas.spaces.recurrent_genotype import RecurrentGenotype, RecurrentMacro


class MixedRnn(nn.Module):
    """Stacked layers of `MixedRecipeCell`, one or both directions, as `RecipeRnn` stacks a recipe."""

    def __init__(self, space: DartsRecurrentSpace, n_inputs: int, macro: RecurrentMacro) -> None:
        super().__init__()
        self.macro = macro
        n_directions = 2 if macro.bidirectional else 1
        self.n_outputs = macro.hidden * n_directions * (2 if macro.emit == "h0+h1" else 1)
        widths = [n_inputs, *[self.n_outputs] * (macro.n_layers - 1)]
        self.layers = nn.ModuleList(
            MixedRecipeCell(space, width, macro.hidden, n_directions, macro.drop_connect) for width in widths
        )

    def forward(self, x: Tensor, lengths: Tensor | None, how: Mixture | RecipeDraft) -> Tensor:
        """x (batch, frames, inputs), lengths (batch,) int64 -> (batch, frames, n_outputs), 0 in the padding."""
        for cell in self.layers:
            if self.macro.bidirectional:
                forward, backward = cell(torch.stack([x, reverse_frames(x, lengths)]), lengths, self.macro.emit, how)
                x = torch.cat([forward, reverse_frames(backward, lengths)], dim=-1)
            else:
                x = cell(x[None], lengths, self.macro.emit, how)[0]
        return x


class RecurrentSupernet(FrameSkeleton, Supernet):
    """All networks of a `DartsRecurrentSpace` at once.

    `arch_parameters()` are the alphas: one vector, (options,), float32, logits, for each label of `space.choices()`.
    `mixing` turns one into the weights of its options; with one-hot weights the network is exactly that of the
    genotype of these options (where a node has an input already, of the next one), as long as no value of a node
    leaves +-`mixed_recipe_cell.LIMIT`.
    """

    space: DartsRecurrentSpace

    def __init__(
        self,
        space: DartsRecurrentSpace,
        macro: RecurrentMacro,
        input_shape: tuple[int, int, int],
        n_classes: int,
        mixing: Mixing | None = None,
    ) -> None:
        def make_rnn(width: int) -> MixedRnn:
            return MixedRnn(space, width, macro)

        n_channels, n_inputs, _ = input_shape
        super().__init__(make_rnn, n_inputs, n_classes, macro.hidden, macro.pooling, n_channels, macro.channels)
        self.space = space
        self.mixing = mixing or Mixing()
        for label, options in space.choices().items():
            self.register_parameter(f"alphas_{label}", nn.Parameter(1e-3 * torch.randn(len(options))))

    def arch_parameters(self) -> list[nn.Parameter]:
        """The alphas in the order of `space.choices()`, which is part of the contract."""
        return [self.alphas(label) for label in self.space.choices()]

    def alphas(self, label: str) -> nn.Parameter:
        """The alphas of a decision, (options,)."""
        return cast(nn.Parameter, getattr(self, f"alphas_{label}"))  # get_parameter refuses those of functional_call

    def forward(self, x: Tensor, lengths: Tensor | None = None, genotype: RecurrentGenotype | None = None) -> Tensor:
        """(batch, channels, features, frames) -> logits; with `genotype`, of that sub-network alone.

        `lengths` (batch,): own frames of each clip; padding beyond them changes nothing.

        Raises:
            SettingsError: frames of another width, no frames, or a length below 1 or above the frames given.
            GenotypeError: `genotype` is not of this space.
        """
        frames = self.own_frames(x, lengths)
        if genotype is None and isinstance(self.mixing, PathMixing) and not frames.is_meta:  # shapes alone draw nothing
            genotype = self.space.genotype(self._drawn_path())
        how = self.mixture() if genotype is None else self.space.draft(genotype)
        return self.classify(self.rnn(frames, lengths, how), lengths)

    def mixture(self) -> Mixture:
        """The weights of all choices, by one call of `mixing` a decision."""
        weights = {label: self.mixed(self.alphas(label)) for label in self.space.choices()}
        alone = next(self.parameters()).new_ones(1)
        options, n_states = self.space.options, self.space.states

        def of(label: str) -> Tensor:
            return weights.get(label, alone)

        inputs = []
        for i in range(1, self.space.nodes.max):
            a = torch.cat([alone.new_zeros(n_states), of(f"n{i}_a")])
            others = [of(f"n{i}_{slot}") for slot in SLOTS[1:] if f"n{i}_{slot}" in options]
            inputs.append(moved_on([a, *others]))
        return Mixture(tuple(of(f"n{i}_op") for i in range(1, self.space.nodes.max)), tuple(inputs))

    def _drawn_path(self) -> dict[str, str]:
        """The sample of one draw; its candidates alone are computed."""
        choices = self.space.choices()
        return {label: options[int(self.mixed(self.alphas(label)).argmax())] for label, options in choices.items()}

    def genotype(self) -> RecurrentGenotype:
        """Derivation: of each choice the option that weighs most; see `DartsRecurrentSpace.strongest`."""
        return self.space.genotype(self.space.strongest(self._decided()))

    def describe(self, input_shape: Sequence[int], n_classes: int, genotype: Genotype | None = None) -> dict[str, Any]:
        """Options of every decision, genotype, parameters; and of a mixture alphas, entropy and margins by `KINDS`.

        A margin is the weight of a kept option minus that of the strongest other one that is free; decisions that the
        genotype does not need have none. There are no skip connections.
        """
        genotype = genotype or self.genotype()
        assert isinstance(genotype, RecurrentGenotype)
        of_mixture = {} if isinstance(self.mixing, PathMixing) else self._of_mixture()
        return {
            "options": {label: list(options) for label, options in self.space.choices().items()},
            **of_mixture,
            "mixing": self.mixing.name,
            "skips": 0,
            "skips_of": 0,
            "genotype": genotype.to_recipe(),
            "parameters": self._parameters_of(genotype, input_shape, n_classes),
        }

    def _of_mixture(self) -> dict[str, Any]:
        alphas = {label: self.alphas(label).detach().double().cpu() for label in self.space.choices()}
        kinds = {kind: [label for label in alphas if decided_by(label) == kind] for kind in KINDS}
        margins = self.space.margins(self._decided())
        entropy = {label: float(self.mixing.entropy(values)) for label, values in alphas.items()}
        kept = {kind: [margins[label] for label in kinds[kind] if label in margins] for kind in KINDS}
        return {
            "alphas": {kind: {label: alphas[label].tolist() for label in kinds[kind]} for kind in KINDS},
            "entropy": {kind: mean(entropy[label] for label in kinds[kind]) for kind in KINDS if kinds[kind]},
            "margins": {kind: found for kind, found in kept.items() if found},
        }

    def _decided(self) -> dict[str, list[float]]:
        """Label -> weight of each option."""
        return {
            label: self.mixing.decided(self.alphas(label).detach().double()).tolist() for label in self.space.choices()
        }

    def _parameters_of(self, genotype: RecurrentGenotype, input_shape: Sequence[int], n_classes: int) -> int:
        with torch.device("meta"):
            macro = genotype.macro.model_dump(exclude={"causal"})
            network = FrameNetwork(genotype, input_shape[1], n_classes, n_channels=input_shape[0], **macro)
        return sum(parameter.numel() for parameter in network.parameters())


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
