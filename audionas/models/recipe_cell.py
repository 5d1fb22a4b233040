"""One recurrent cell built from a recipe, run over a sequence: in compiled code, or frame by frame in torch.

Source: Klyuchnikov et al. 2020 (NAS-Bench-NLP) and its release: nodes in topological order, states zero at
the start, every parameter drawn from U(-1/sqrt(h), 1/sqrt(h)), DropConnect on linear weights not on x.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from audionas.kernels.exporting import is_exporting
from audionas.kernels.recipe_plan import recipe_plan
from audionas.kernels.recipe_scan import can_scan, recipe_scan
from audionas.kernels.triton_recipe import can_run_on_card, card_scan
from audionas.models.onnx_forms import scan_frames
from audionas.ops.recurrent import LINEAR, RNN_OPS
from audionas.spaces.recurrent_genotype import INPUT, RecurrentGenotype

Emit = str
EMITS = ("h0", "h0+h1")


class RecipeCell(nn.Module):
    """A recipe with its weights.

    `weights[k]`, (hidden, width of the source), one a (linear node, input) in node order; `biases[k]`,
    (hidden,), one a linear node. `drop_connect` is the probability with which training zeroes an element of a
    weight whose source is not x; one draw a sequence.
    """

    def __init__(self, genotype: RecurrentGenotype, n_inputs: int, hidden: int, drop_connect: float = 0.0) -> None:
        super().__init__()
        self.genotype = genotype
        self.n_inputs, self.hidden, self.drop_connect = n_inputs, hidden, drop_connect
        linear = [node for node in genotype.nodes if node.op == LINEAR]
        widths = [n_inputs if source == INPUT else hidden for node in linear for source in node.inputs]
        self.sources = [source for node in linear for source in node.inputs]
        self._owner = [k for k, node in enumerate(linear) for _ in node.inputs]
        self._terms = [[i for i, owner in enumerate(self._owner) if owner == k] for k in range(len(linear))]
        self._state_names = [f"h_prev_{i}" for i in range(genotype.n_states)]
        self._recipe = tuple((node.name, node.op, node.inputs) for node in genotype.nodes)
        self._inner = {node.name for node in genotype.nodes}
        self.weights = nn.ParameterList(nn.Parameter(torch.empty(hidden, width)) for width in widths)
        self.biases = nn.ParameterList(nn.Parameter(torch.empty(hidden)) for _ in linear)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw every parameter, biases included, from U(-1/sqrt(hidden), 1/sqrt(hidden))."""
        bound = 1.0 / math.sqrt(self.hidden)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def sequence_weights(self) -> list[Tensor]:
        """The weights to use for one sequence: with DropConnect in training, as they are otherwise."""
        if not (self.training and self.drop_connect):
            return list(self.weights)
        return [
            weight if source == INPUT else functional.dropout(weight, self.drop_connect, self.training)
            for weight, source in zip(self.weights, self.sources, strict=True)
        ]

    def step(self, x: Tensor, states: list[Tensor], weights: list[Tensor]) -> list[Tensor]:
        """x (batch, inputs) and the states, (batch, hidden) each -> the new states."""
        return self._advance(
            x, self._from_input(x[:, None], list(self.biases), weights)[0], states, self._by_state(weights), weights
        )

    def forward(
        self, x: Tensor, lengths: Tensor | None = None, emit: Emit = "h0", *, is_reversed: bool = False
    ) -> Tensor:
        """x (batch, frames, inputs) -> (batch, frames, hidden or 2 * hidden), 0 beyond each clip's length.

        With `is_reversed` each clip runs from its last own frame to its first.
        """
        if is_exporting():
            return self._as_scan(x, lengths, emit, is_reversed)
        biases, weights = list(self.biases), self.sequence_weights()
        plain = partial(self._in_torch, lengths, emit, is_reversed)
        if can_run_on_card(x, [*biases, *weights]):
            return self._on_card(x, lengths, emit, is_reversed, biases, weights)
        if not can_scan(x, [*biases, *weights]):
            return plain(x, *biases, *weights)
        plan = recipe_plan(self._recipe, EMITS.index(emit) + 1)
        return recipe_scan(plan, x, lengths, biases, weights, plain, is_reversed=is_reversed)

    def _on_card(
        self,
        x: Tensor,
        lengths: Tensor | None,
        emit: Emit,
        is_reversed: bool,
        biases: list[Tensor],
        weights: list[Tensor],
    ) -> Tensor:
        """What `forward` gives, by kernels that are made for the recipe."""
        if is_reversed:
            outputs = self._on_card(reverse_frames(x, lengths), lengths, emit, False, biases, weights)
            return reverse_frames(outputs, lengths)
        plan = recipe_plan(self._recipe, EMITS.index(emit) + 1)
        return card_scan(plan, x, lengths, biases, weights, lambda own: partial(self._in_torch, own, emit, False))

    def _as_scan(self, x: Tensor, lengths: Tensor | None, emit: Emit, is_reversed: bool) -> Tensor:
        """What `forward` gives in eval mode, as one loop of ONNX."""
        if is_reversed:
            return reverse_frames(self._as_scan(reverse_frames(x, lengths), lengths, emit, False), lengths)
        weights = list(self.weights)

        def step(states: list[Tensor], frame: Tensor) -> tuple[list[Tensor], Tensor]:
            new = self.step(frame, states, weights)
            return new, new[0] if emit == "h0" else torch.cat(new[:2], dim=-1)

        outputs = scan_frames(step, self.first_states(x), x)
        return outputs if lengths is None else torch.where(frame_mask(lengths, x.shape[1])[:, :, None], outputs, 0.0)

    def first_states(self, x: Tensor) -> list[Tensor]:
        """The states before the first frame of x (batch, ...): zeros, (batch, hidden) each."""
        return [x.new_zeros(x.shape[0], self.hidden) for _ in range(self.genotype.n_states)]

    def _in_torch(self, lengths: Tensor | None, emit: Emit, is_reversed: bool, x: Tensor, *given: Tensor) -> Tensor:
        """What `forward` gives, frame by frame; `given` are all biases, then all weights."""
        if is_reversed:
            outputs = self._in_torch(lengths, emit, False, reverse_frames(x, lengths), *given)
            return reverse_frames(outputs, lengths)
        return self._frame_by_frame(x, lengths, emit, given[: len(self.biases)], given[len(self.biases) :])

    def _frame_by_frame(
        self, x: Tensor, lengths: Tensor | None, emit: Emit, biases: Sequence[Tensor], weights: Sequence[Tensor]
    ) -> Tensor:
        given, by_state = self._from_input(x, biases, weights), self._by_state(weights)
        states = self.first_states(x)
        shortest = x.shape[1] if lengths is None else shortest_known(lengths)
        outputs = []
        for t, (frame, terms) in enumerate(zip(x.unbind(1), given, strict=True)):
            new = self._advance(frame, terms, states, by_state, weights)
            states = new if t < shortest or lengths is None else still_running(new, states, t < lengths)
            outputs.append(states[0] if emit == "h0" else torch.cat(states[:2], dim=-1))
        stacked = torch.stack(outputs, dim=1)
        if lengths is None:
            return stacked
        return torch.where(frame_mask(lengths, x.shape[1])[:, :, None], stacked, 0.0)

    def _from_input(self, x: Tensor, biases: Sequence[Tensor], weights: Sequence[Tensor]) -> list[tuple[Tensor, ...]]:
        """For each frame, what x and the bias give each linear node: one product for all frames and nodes."""
        rows = []
        for k in range(len(biases)):
            on_x = [weights[i] for i in self._terms[k] if self.sources[i] == INPUT]
            rows.append(sum(on_x[1:], on_x[0]) if on_x else None)
        reading = [k for k, row in enumerate(rows) if row is not None]
        if not reading:
            return [tuple(biases)] * x.shape[1]
        stacked = torch.cat([row for row in rows if row is not None])
        bias = torch.cat([biases[k] for k in reading])
        product = functional.linear(x, stacked, bias)
        given = []
        for frame in product.unbind(1):
            parts = dict(zip(reading, frame.chunk(len(reading), dim=-1), strict=True))
            given.append(tuple(parts.get(k, biases[k]) for k in range(len(rows))))
        return given

    def _by_state(self, weights: Sequence[Tensor]) -> list[tuple[list[int], Tensor]]:
        """For each state, the linear nodes that read it and their weights in one matrix, (hidden, nodes * hidden)."""
        table = []
        for name in self._state_names:
            reading = [i for i, source in enumerate(self.sources) if source == name]
            stacked = torch.cat([weights[i] for i in reading]).t() if reading else torch.empty(0)
            table.append(([self._owner[i] for i in reading], stacked))
        return table

    def _advance(
        self,
        x: Tensor,
        given: tuple[Tensor, ...],
        states: list[Tensor],
        by_state: list[tuple[list[int], Tensor]],
        weights: Sequence[Tensor],
    ) -> list[Tensor]:
        values = {INPUT: x, **dict(zip(self._state_names, states, strict=True))}
        sums = list(given)
        for state, (nodes, stacked) in zip(states, by_state, strict=True):
            if nodes:
                for k, part in zip(nodes, (state @ stacked).chunk(len(nodes), dim=-1), strict=True):
                    sums[k] = sums[k] + part
        n_linear = 0
        for node in self.genotype.nodes:
            apply = RNN_OPS[node.op].apply
            if apply is not None:
                values[node.name] = apply([values[source] for source in node.inputs])
                continue
            for i in self._terms[n_linear]:
                if self.sources[i] in self._inner:
                    sums[n_linear] = sums[n_linear] + values[self.sources[i]] @ weights[i].t()
            values[node.name] = sums[n_linear]
            n_linear += 1
        return [_batched(values[f"h_new_{i}"], x) for i in range(self.genotype.n_states)]


def shortest_known(lengths: Tensor) -> int:
    """So many frames every clip has; 0 on a card, where nobody waits for the number."""
    return int(lengths.min()) if lengths.device.type == "cpu" else 0


def still_running(new: list[Tensor], old: list[Tensor], is_running: Tensor) -> list[Tensor]:
    """The new states of clips that have a frame here, the old ones of those that have ended, (batch,) bool.

    States that went on through the padding could overflow there, and 0 * inf in the backward pass is NaN.
    """
    return [torch.where(is_running[:, None], after, before) for after, before in zip(new, old, strict=True)]


def frame_mask(lengths: Tensor, n_frames: int) -> Tensor:
    """(batch, frames) bool: True for the frames that a clip really has."""
    return torch.arange(n_frames, device=lengths.device)[None, :] < lengths[:, None]


def reverse_frames(x: Tensor, lengths: Tensor | None) -> Tensor:
    """(batch, frames, values) with each clip's own frames in reverse order; padding stays behind them."""
    if lengths is None:
        return x.flip(1)
    frames = torch.arange(x.shape[1], device=x.device)[None, :]
    index = torch.where(frames < lengths[:, None], lengths[:, None] - 1 - frames, frames)
    return x.gather(1, index[:, :, None].expand_as(x))


def _batched(value: Tensor, x: Tensor) -> Tensor:
    return value if value.dim() == 2 else value.expand(x.shape[0], -1)
