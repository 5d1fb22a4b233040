"""A recurrent recipe run as the release of NAS-Bench-NLP runs it: node by node, frame by frame, each a module.

Source: Klyuchnikov et al. 2020 and its release: a frame's tensors have a leading axis of 1; a linear node has one
matrix for each input, one product each, in every frame, also for x; operations are looked up by name. The parameters
are those of a `RecipeCell`, shared. Differences: batch first, clips of several lengths, other states than the first
emitted too, and sums and products fold over all inputs, as ours do.
"""

from __future__ import annotations

from functools import reduce

import torch
from torch import Tensor, nn
from torch.nn import functional

from audionas.models.recipe_cell import RecipeCell

ACTIVATIONS = {"tanh": nn.Tanh, "sigm": nn.Sigmoid, "leaky_relu": nn.LeakyReLU}
ELEMENTWISE = {"elementwise_prod": torch.mul, "elementwise_sum": torch.add}


class PlainLinear(nn.Module):
    """Inputs (1, batch, width of each) -> the sum of their products and the bias, (1, batch, hidden)."""

    def __init__(self, weights: list[Tensor], bias: Tensor) -> None:
        super().__init__()
        self.weights, self.bias = nn.ParameterList(weights), bias

    def forward(self, *inputs: Tensor) -> Tensor:
        products = [functional.linear(x, weight) for x, weight in zip(inputs, self.weights, strict=True)]
        return reduce(torch.add, products) + self.bias


class PlainRecipe(nn.Module):
    """x (batch, frames, inputs) -> the first states, (batch, frames, n_emitted * hidden), 0 beyond each length."""

    def __init__(self, cell: RecipeCell, n_emitted: int = 1) -> None:
        super().__init__()
        self.nodes, self.hidden, self.n_emitted = cell.genotype.nodes, cell.hidden, n_emitted
        self.n_states = cell.genotype.n_states
        weights, biases = iter(cell.weights), iter(cell.biases)
        self.linear = nn.ModuleDict(
            {
                n.name: PlainLinear([next(weights) for _ in n.inputs], next(biases))
                for n in self.nodes
                if n.op == "linear"
            }
        )
        self.activations = nn.ModuleDict({name: make() for name, make in ACTIVATIONS.items()})

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        states = tuple(x.new_zeros(x.shape[0], self.hidden) for _ in range(self.n_states))
        outputs = []
        for t, frame in enumerate(x.unbind(1)):
            new = self._frame(frame, states)
            if lengths is not None:
                runs = (t < lengths)[:, None]
                new = tuple(torch.where(runs, after, before) for after, before in zip(new, states, strict=True))
            states = new
            outputs.append(torch.cat(states[: self.n_emitted], dim=-1))
        stacked = torch.stack(outputs, dim=1)
        if lengths is None:
            return stacked
        return torch.where((torch.arange(x.shape[1]) < lengths[:, None])[:, :, None], stacked, 0.0)

    def _frame(self, x: Tensor, states: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        values = {"x": x.unsqueeze(0)}
        for k, state in enumerate(states):
            values[f"h_prev_{k}"] = state.unsqueeze(0)
        for node in self.nodes:
            values[node.name] = self._node(node.name, node.op, [values[source] for source in node.inputs])
        return tuple(values[f"h_new_{k}"][0] for k in range(self.n_states))

    def _node(self, name: str, op: str, inputs: list[Tensor]) -> Tensor:
        if name in self.linear:
            return self.linear[name](*inputs)  # type: ignore[no-any-return]
        if op in ELEMENTWISE:
            return reduce(ELEMENTWISE[op], inputs)
        if op == "blend":
            return inputs[0] * inputs[1] + (1 - inputs[0]) * inputs[2]
        return self.activations[op.removeprefix("activation_")](inputs[0])  # type: ignore[no-any-return]
