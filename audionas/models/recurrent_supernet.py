"""The recurrent supernet: every node of its cells mixes its candidate inputs and its candidate operations.

Source: Liu et al. 2019 (DARTS), equation 2 and section 3.2: alphas are shared by all layers and directions, and drawn
as 1e-3 times a standard normal. See `mixed_recipe_cell.py` for what is not as in DARTS.

What the other mixings are here, where a decision is of an operation or of an input:

- Sigmoids (FairDARTS) weigh each option for itself, and derivation, margins and the log read them as they are. Their
  sum, 3.5 of 7 options at the start, multiplies from node to node: of `darts_rnn` the last node is far beyond
  `LIMIT` in the first frames, and what is cut has no gradient. The paper has BN behind operations, to which the scale
  of a sum is nothing; here, in its place, a decision's weights are divided by their sum where that is above 1. One-hot
  weights stay what they are.
- Edges are normalised (PC-DARTS, equation 2) by betas, one vector a node over all that it can read. The softmax of the
  betas multiplies the weights of each of the node's inputs, which are then divided by their sum (so that one-hot
  weights stay so): the softmax of alphas plus betas. Channels are never divided here, whatever `partial` says: sums,
  products and blends need the units of all their inputs side by side, which a shuffle takes apart; without a shuffle
  most units would never meet an operation; and a divided cell is not the derived network.
- Sparse mixings (GDAS, ProxylessNAS) draw once a decision and pass, for all layers, directions and frames. What was
  not drawn is not computed (`sparse_mixture.py`); a draw without gradients runs as the one recipe that it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import mean
from typing import Any, cast

import torch
from torch import Tensor, nn

from audionas.models.frame_network import FrameNetwork
from audionas.models.frame_skeleton import FrameSkeleton
from audionas.models.mixed_recipe_cell import MixedRecipeCell, Mixture, Prepared
from audionas.models.mixing import Mixing, PathMixing
from audionas.models.recipe_cell import reverse_frames
from audionas.models.sparse_mixture import SparseMixture, computed_nodes
from audionas.models.supernet import Supernet
from audionas.ops.recurrent import RNN_OPS
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

    def forward(
        self,
        x: Tensor,
        lengths: Tensor | None,
        how: Mixture | RecipeDraft | Prepared,
        run: Callable[..., Any] | None = None,
    ) -> Tensor:
        """x (batch, frames, inputs), lengths (batch,) int64 -> (batch, frames, n_outputs), 0 in the padding."""
        for cell in self.layers:
            if self.macro.bidirectional:
                forward, backward = cell(
                    torch.stack([x, reverse_frames(x, lengths)]), lengths, self.macro.emit, how, run
                )
                x = torch.cat([forward, reverse_frames(backward, lengths)], dim=-1)
            else:
                x = cell(x[None], lengths, self.macro.emit, how, run)[0]
        return x


class RecurrentSupernet(FrameSkeleton, Supernet):
    """All networks of a `DartsRecurrentSpace` at once.

    `arch_parameters()` are the alphas: one vector, (options,), float32, logits, for each label of `space.choices()`;
    where edges are normalised behind them the betas, a vector for each node that chooses an input, (sources,).
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
        for node, n_sources in self._edges().items():
            self.register_parameter(f"betas_{node}", nn.Parameter(1e-3 * torch.randn(n_sources)))

    def _edges(self) -> dict[str, int]:
        """Where edges are normalised: node -> how many sources it chooses from, the nodes last."""
        found: dict[str, int] = {}
        for label, options in self.space.choices().items() if self.mixing.normalises_edges else ():
            if decided_by(label) == "inputs":
                node = label.split("_")[0]
                found[node] = max(found.get(node, 0), len(options))
        return found

    def arch_parameters(self) -> list[nn.Parameter]:
        """Alphas in the order of `space.choices()`, then betas by node: the order is part of the contract."""
        betas = [cast(nn.Parameter, getattr(self, f"betas_{node}")) for node in self._edges()]
        return [*(self.alphas(label) for label in self.space.choices()), *betas]

    def alphas(self, label: str) -> nn.Parameter:
        """The alphas of a decision, (options,)."""
        return cast(nn.Parameter, getattr(self, f"alphas_{label}"))  # get_parameter refuses those of functional_call

    def logits(self, label: str) -> Tensor:
        """What mixings weigh, (options,): the alphas, of an input plus the node's betas where edges are normalised."""
        alphas = self.alphas(label)
        if not self.mixing.normalises_edges or decided_by(label) != "inputs":
            return alphas
        betas = cast(Tensor, getattr(self, f"betas_{label.split('_')[0]}"))
        return alphas + betas[-len(alphas) :]  # input a reads nodes only, which stand behind the states

    def forward(self, x: Tensor, lengths: Tensor | None = None, genotype: RecurrentGenotype | None = None) -> Tensor:
        """(batch, channels, features, frames) -> logits; with `genotype`, of that sub-network alone.

        `lengths` (batch,): own frames of each clip; padding beyond them changes nothing.

        Raises:
            SettingsError: frames of another width, no frames, or a length below 1 or above the frames given.
            GenotypeError: `genotype` is not of this space.
        """
        frames = self.own_frames(x, lengths)
        how = self._how(frames.is_meta) if genotype is None else self.space.draft(genotype)
        return self.classify(self.rnn(frames, lengths, how, self.run if self.recomputes else None), lengths)

    def mixture(self) -> Mixture:
        """The weights of all choices, by one call of `mixing` a decision."""
        weights = {label: self.mixed(self.logits(label)) for label in self.space.choices()}
        if not self.mixing.sums_to_one:
            weights = {label: each / each.sum().clamp(min=1.0) for label, each in weights.items()}
        return self._assembled(weights)

    def _how(self, is_meta: bool) -> Mixture | RecipeDraft | SparseMixture:
        """What a pass computes: all candidates, or of a sparse mixing what is drawn, a path being a recipe."""
        mixing, choices = self.mixing, self.space.choices()
        if not (mixing.is_sparse and self.training):
            is_path = isinstance(mixing, PathMixing) and not is_meta
            return (
                self._path({label: self.mixed(self.logits(label)) for label in choices}) if is_path else self.mixture()
            )
        draws = {label: mixing.draw(self.logits(label)) for label in choices}
        weights = {label: each for label, (each, _) in draws.items()}
        if is_meta:  # costs are counted there
            drawn = {label: self._costliest(label) for label in choices}
            path = {label: (each == each.max()).double() for label, each in drawn.items()}
        elif not any(each.requires_grad for each in weights.values()):
            return self._path(weights)
        else:
            masks = {label: cast(Tensor, computed) for label, (_, computed) in draws.items()}
            drawn = {label: each.cpu().double() for label, each in masks.items()}
            path = {label: each.detach().cpu().double() for label, each in weights.items()}
            weights = {label: torch.where(masks[label], each, 0.0) for label, each in weights.items()}
        shares = self._assembled({label: each / each.sum() for label, each in drawn.items()})
        ops = [self.space.options[f"n{i}_op"] for i in range(1, self.space.nodes.max)]
        nodes = computed_nodes(self._assembled(path), shares, ops, self.space.states)
        return SparseMixture(self._assembled(weights, are_paths=mixing.n_computed == 1), nodes)

    def _costliest(self, label: str) -> Tensor:
        """Shares above 0 for the `n_computed` options that cost most, the most for the first: a bound for any draw."""
        options = self.space.choices()[label]
        costs = [RNN_OPS[option].fewest if option in RNN_OPS else k for k, option in enumerate(options)]
        shares = torch.zeros(len(options), dtype=torch.float64, device="cpu")
        for place, k in enumerate(sorted(range(len(options)), key=lambda k: -costs[k])[: self.mixing.n_computed]):
            shares[k] = 1.0 / (1 + place)
        return shares

    def _assembled(self, weights: Mapping[str, Tensor], *, are_paths: bool = False) -> Mixture:
        """The weights of decisions as a cell takes them, inputs moved on; a decision with one option weighs 1."""
        alone = next(iter(weights.values())).new_ones(1)
        options, n_states = self.space.options, self.space.states

        def of(label: str) -> Tensor:
            return weights.get(label, alone)

        inputs = []
        for i in range(1, self.space.nodes.max):
            a = torch.cat([alone.new_zeros(n_states), of(f"n{i}_a")])
            others = [of(f"n{i}_{slot}") for slot in SLOTS[1:] if f"n{i}_{slot}" in options]
            inputs.append(moved_on([a, *others], are_paths=are_paths))
        return Mixture(tuple(of(f"n{i}_op") for i in range(1, self.space.nodes.max)), tuple(inputs))

    def _path(self, weights: Mapping[str, Tensor]) -> RecipeDraft:
        """The recipe of the options that weigh most; its candidates alone are computed."""
        choices = self.space.choices()
        sample = {label: choices[label][int(each.argmax())] for label, each in weights.items()}
        return self.space.draft(self.space.genotype(sample))

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
        decided = self._decided()
        kinds = {kind: [label for label in alphas if decided_by(label) == kind] for kind in KINDS}
        margins = self.space.margins(decided)
        entropy = {label: float(self.mixing.entropy(self.logits(label).detach().double())) for label in alphas}
        kept = {kind: [margins[label] for label in kinds[kind] if label in margins] for kind in KINDS}
        weights = {kind: {label: decided[label] for label in kinds[kind]} for kind in KINDS}
        betas = {node: getattr(self, f"betas_{node}").detach().tolist() for node in self._edges()}
        return {
            "alphas": {kind: {label: alphas[label].tolist() for label in kinds[kind]} for kind in KINDS},
            **({"weights": weights} if self.mixing.name != Mixing.name else {}),
            **({"betas": betas} if betas else {}),
            "entropy": {kind: mean(entropy[label] for label in kinds[kind]) for kind in KINDS if kinds[kind]},
            "margins": {kind: found for kind, found in kept.items() if found},
        }

    def _decided(self) -> dict[str, list[float]]:
        """Label -> weight of each option."""
        return {
            label: self.mixing.decided(self.logits(label).detach().double()).tolist() for label in self.space.choices()
        }

    def _parameters_of(self, genotype: RecurrentGenotype, input_shape: Sequence[int], n_classes: int) -> int:
        with torch.device("meta"):
            macro = genotype.macro.model_dump(exclude={"causal"})
            network = FrameNetwork(genotype, input_shape[1], n_classes, n_channels=input_shape[0], **macro)
        return sum(parameter.numel() for parameter in network.parameters())


def moved_on(weights: list[Tensor], *, are_paths: bool = False) -> Tensor:
    """Weights over the same options, each (options,), of choices that must differ: (choices, options).

    Where a choice falls on an option that an earlier one has, its weight moves on to the next option (after the last
    the first), as a sample is repaired. Weights keep their sum, and one-hot ones stay one-hot. Where they are paths,
    each moves with the gradient of its own weight alone: what else it might have been is not computed.
    """
    found = weights[:1]
    for weight in weights[1:]:
        taken = torch.stack(found).sum(0)
        taken = taken.detach() if are_paths else taken
        kept = weight * (1.0 - taken)
        for _ in found[1:]:
            weight = (weight * taken).roll(1)
            kept = kept + weight * (1.0 - taken)
        found.append(kept + (weight * taken).roll(1))
    return torch.stack(found)
