"""All recipes of a `DartsRecurrentSpace` in one cell: every node mixes its inputs and its operations.

Source: Liu et al. 2019 (DARTS), equation 2. Differences, since here a node's inputs are choices too: an operation
reads mixtures of sources, input by input. States pass a highway gate, which is part of every recipe of the space, and
so stay within -1 and 1. DARTS also has BN on every node while it searches; it is left out, as the mixture with one-hot
weights is to be the derived network itself. Within a frame a product of products can still be huge, or its gradient.
Therefore a node's value is cut to +-`LIMIT`, and so is the gradient that a state hands back to the frame before
(Graves 2013, arXiv:1308.0850, section 2.1, cuts derivatives): within the limit nothing is changed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from audionas.models.recipe_cell import frame_mask, shortest_known, still_running
from audionas.ops.recurrent import LINEAR, RNN_OPS, blend
from audionas.spaces.darts_recurrent import DartsRecurrentSpace
from audionas.spaces.recipe_draft import RecipeDraft

LIMIT = 100.0
Step = Callable[[Tensor, list[Tensor]], list[Tensor]]


@dataclass(frozen=True)
class Mixture:
    """Weights of all choices: `ops[i - 1]`, (operations of node i,), and `inputs[i - 1]`, (slots, sources of node i).

    The first sources are the states.
    """

    ops: tuple[Tensor, ...]
    inputs: tuple[Tensor, ...]


class Prepared(Protocol):
    """What brings its own step, such as `audionas.models.sparse_mixture.SparseMixture`."""

    def prepared(self, cell: MixedRecipeCell, x: Tensor) -> tuple[Tensor, Step]:
        """What x gives, (directions, batch, frames, nodes, hidden), and the step that takes a frame of it."""


class MixedRecipeCell(nn.Module):
    """A layer with the weights of all candidates; its directions run side by side, each with its own weights.

    Of direction d node i has, as if it were linear, `on_x[d, i]`, (hidden, inputs), `biases[d, i]`, (hidden,),
    `on_states[d, i]`, (states, hidden, hidden) for when it reads the states, and for each earlier node j > 0
    `on_nodes[j - 1][d, i - j - 1]`, (hidden, hidden). Behind the last node follow the gates of the states.
    """

    def __init__(
        self, space: DartsRecurrentSpace, n_inputs: int, hidden: int, n_directions: int = 1, drop_connect: float = 0.0
    ) -> None:
        super().__init__()
        n, states, d = space.nodes.max, space.states, n_directions
        self.n_nodes, self.n_states, self.hidden, self.drop_connect = n, states, hidden, drop_connect
        options = space.options
        self.ops = [options[f"n{i}_op"] for i in range(1, n)]
        self.on_x = nn.Parameter(torch.empty(d, n + states, hidden, n_inputs))
        self.biases = nn.Parameter(torch.empty(d, n + states, hidden))
        self.on_states = nn.Parameter(torch.empty(d, n + states, states, hidden, hidden))
        self.on_nodes = nn.ParameterList(torch.empty(d, n - 1 - j, hidden, hidden) for j in range(1, n - 1))
        bound = 1.0 / math.sqrt(hidden)  # as in a recipe's cell
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def forward(
        self,
        x: Tensor,
        lengths: Tensor | None,
        emit: str,
        how: Mixture | RecipeDraft | Prepared,
        run: Callable[..., Any] | None = None,
    ) -> Tensor:
        """x (directions, batch, frames, inputs) -> (directions, batch, frames, hidden or 2 * hidden).

        It is 0 beyond each clip's length. `how` mixes the candidates, all or those drawn, or is the one recipe to be
        run. With `run`, which may compute its work again (see `Supernet.run`), sqrt(frames) stretches of frames are
        run by it.
        """
        if isinstance(how, RecipeDraft):
            given, step = self._single(x, how)
        else:
            given, step = self._mixed(x, how) if isinstance(how, Mixture) else how.prepared(self, x)
        n_frames = x.shape[2]
        states = [x.new_zeros(*x.shape[:2], self.hidden) for _ in range(self.n_states)]
        shortest = n_frames if lengths is None else shortest_known(lengths)

        def stretch(first: int, given: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
            outputs, now = [], list(states)
            for t, frame in enumerate(given.unbind(2), first):
                new = step(frame, [limited_gradient(state) for state in now])
                now = new if t < shortest or lengths is None else still_running(new, now, t < lengths)
                outputs.append(now[0] if emit == "h0" else torch.cat(now[:2], dim=-1))
            return torch.stack(outputs, dim=2), *now

        if run is None:
            stacked, *_ = stretch(0, given, *states)
        else:
            found, first = [], 0
            for part in given.chunk(math.isqrt(n_frames), dim=2):
                output, *states = run(stretch, first, part, *states, of=self)
                found.append(output)
                first += part.shape[2]
            stacked = torch.cat(found, dim=2)
        if lengths is None:
            return stacked
        return torch.where(frame_mask(lengths, n_frames)[:, :, None], stacked, 0.0)

    def _mixed(self, x: Tensor, mixture: Mixture) -> tuple[Tensor, Step]:
        """What x gives linear candidates and gates, (directions, batch, frames, nodes, hidden); the step that mixes.

        The weight with which a linear candidate reads a source is multiplied into its matrix, once for all frames.
        """
        n, n_states = self.n_nodes, self.n_states
        always = x.new_ones(())
        first = torch.stack([always, *(inputs[0, n_states] for inputs in mixture.inputs), *[always] * n_states])
        on_states = self.dropped(self.on_states) * first[:, None, None, None]
        from_states = on_states.permute(0, 2, 4, 1, 3).reshape(-1, n_states * self.hidden, len(first) * self.hidden)
        from_nodes = []
        for j, weight in enumerate(self.on_nodes, start=1):
            read = torch.stack([mixture.inputs[i - 1][0, n_states + j] for i in range(j + 1, n)])
            scaled = self.dropped(weight) * read[:, None, None]
            from_nodes.append(scaled.permute(0, 3, 1, 2).reshape(-1, self.hidden, len(read) * self.hidden))

        def step(frame: Tensor, states: list[Tensor]) -> list[Tensor]:
            sums = list((frame + torch.bmm(torch.cat(states, -1), from_states).view(frame.shape)).unbind(2))
            values = [*states, limited(sums[0])]
            for i in range(1, n):
                node = limited(self._mixed_node(i, sums[i], values, mixture))
                values.append(node)
                if i < n - 1:
                    parts = torch.bmm(node, from_nodes[i - 1]).chunk(n - 1 - i, dim=-1)
                    sums[i + 1 : n] = [before + part for before, part in zip(sums[i + 1 : n], parts, strict=True)]
            return new_states(sums[n:], states, values[: -n_states - 1 : -1])

        return linear_of_input(x, self.on_x, self.biases), step

    def _mixed_node(self, i: int, linear: Tensor, values: list[Tensor], mixture: Mixture) -> Tensor:
        """The value of node i, (batch, hidden); `linear` is its linear candidate, `values` are what it can read."""
        inputs = _weighted(mixture.inputs[i - 1], values)
        candidates = []
        for op in self.ops[i - 1]:
            apply = RNN_OPS[op].apply
            candidates.append(linear if apply is None else apply(inputs[: RNN_OPS[op].fewest]))
        return _weighted(mixture.ops[i - 1][None], candidates)[0]

    def _single(self, x: Tensor, draft: RecipeDraft) -> tuple[Tensor, Step]:
        """What x gives linear nodes, (directions, batch, frames, nodes, hidden); the step that runs the recipe."""
        needed = draft.needed()
        linear = [i for i in needed if draft.nodes[i][0] == LINEAR]
        on_states, on_nodes = self.dropped(self.on_states), [self.dropped(weight) for weight in self.on_nodes]
        matrices: dict[int, tuple[tuple[str, ...], Tensor]] = {}
        for i in linear:
            sources = draft.nodes[i][1][1:]
            j = int(sources[0].removeprefix("n")) if sources[0].startswith("n") else 0
            matrix = on_nodes[j - 1][:, i - j - 1] if j else torch.cat(on_states[:, i].unbind(1), dim=-1)
            matrices[i] = sources, matrix.mT

        def step(frame: Tensor, states: list[Tensor]) -> list[Tensor]:
            sums = dict(zip(linear, frame.unbind(2), strict=True))
            values = {f"h_prev_{s}": state for s, state in enumerate(states)}
            for i in needed:
                op, inputs = draft.nodes[i]
                apply = RNN_OPS[op].apply
                if apply is None:
                    sources, matrix = matrices[i]
                    node = sums[i] + torch.bmm(torch.cat([values[source] for source in sources], dim=-1), matrix)
                else:
                    node = apply([values[source] for source in inputs])
                values[f"n{i}"] = limited(node)
            return [values[f"n{i}"] for i in draft.outputs]

        return linear_of_input(x, self.on_x[:, linear], self.biases[:, linear]), step

    def dropped(self, weight: Tensor) -> Tensor:
        """A weight on states or nodes under DropConnect."""
        return functional.dropout(weight, self.drop_connect, self.training)


def linear_of_input(x: Tensor, weights: Tensor, biases: Tensor) -> Tensor:
    """x (directions, batch, frames, inputs) times each node's weights: (directions, batch, frames, nodes, hidden)."""
    product = torch.bmm(x.flatten(1, 2), weights.flatten(1, 2).mT).view(*x.shape[:3], *biases.shape[1:])
    return product + biases[:, None, None]


def new_states(gates: list[Tensor], states: list[Tensor], ends: list[Tensor]) -> list[Tensor]:
    """The states behind their gates, each blend(sigm(gate), state, tanh(end)); all (directions, batch, hidden)."""
    opened = [torch.sigmoid(limited(gate)) for gate in gates]
    return [blend([g, h, torch.tanh(end)]) for g, h, end in zip(opened, states, ends, strict=True)]


def _weighted(weights: Tensor, values: list[Tensor]) -> list[Tensor]:
    """Sums of values, all of one shape, one for each row of weights (sums, values)."""
    stacked = torch.stack(values)
    return list((weights @ stacked.flatten(1)).view(-1, *stacked.shape[1:]).unbind(0))


def limited(x: Tensor) -> Tensor:
    """x cut to +-`LIMIT`; the gradient is 0 where it was cut."""
    return x.clamp(-LIMIT, LIMIT)


class _LimitedGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0].clamp(-LIMIT, LIMIT)


def limited_gradient(x: Tensor) -> Tensor:
    """x as it is; the gradient that comes back is cut to +-`LIMIT`."""
    return cast(Tensor, _LimitedGradient.apply(x))  # type: ignore[no-untyped-call]
