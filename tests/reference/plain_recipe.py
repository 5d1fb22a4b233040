"""A recurrent recipe as the release of NAS-Bench-NLP runs it: every linear node is a product of its own in each frame.

Source: Klyuchnikov et al. 2020, `CustomRNN` of the release: nodes one by one in topological order, for each input of
a linear node one product with its own matrix, nothing of x taken ahead of the frames. It reads the parameters of a
`RecipeCell`. Differences: batch first, clips of several lengths, and sums and products fold over all inputs, as ours.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import torch
from torch import Tensor
from torch.nn import functional

from audionas.models.recipe_cell import RecipeCell

ELEMENTWISE: dict[str, Callable[[list[Tensor]], Tensor]] = {
    "blend": lambda v: v[0] * v[1] + (1 - v[0]) * v[2],
    "elementwise_prod": lambda v: reduce(torch.mul, v),
    "elementwise_sum": lambda v: reduce(torch.add, v),
    "activation_tanh": lambda v: torch.tanh(v[0]),
    "activation_sigm": lambda v: torch.sigmoid(v[0]),
    "activation_leaky_relu": lambda v: functional.leaky_relu(v[0], 0.01),
}


def plain_recipe(
    cell: RecipeCell, x: Tensor, lengths: Tensor | None = None, n_emitted: int = 1, weights: list[Tensor] | None = None
) -> Tensor:
    """x (batch, frames, inputs) -> the first states, (batch, frames, n_emitted * hidden), 0 beyond each length.

    Args:
        weights: the weights to use; None: the cell's own.
    """
    weights = list(cell.weights) if weights is None else weights
    states = [x.new_zeros(x.shape[0], cell.hidden) for _ in range(cell.genotype.n_states)]
    rows = []
    for t in range(x.shape[1]):
        new = _frame(cell, x[:, t], states, weights)
        emitted = torch.cat(new[:n_emitted], dim=-1)
        if lengths is not None:
            runs = (t < lengths)[:, None]
            new = [torch.where(runs, after, before) for after, before in zip(new, states, strict=True)]
            emitted = torch.where(runs, emitted, 0.0)
        states = new
        rows.append(emitted)
    return torch.stack(rows, dim=1)


def _frame(cell: RecipeCell, x: Tensor, states: list[Tensor], weights: list[Tensor]) -> list[Tensor]:
    values = {"x": x, **{f"h_prev_{k}": state for k, state in enumerate(states)}}
    n_weights = n_biases = 0
    for node in cell.genotype.nodes:
        if node.op != "linear":
            values[node.name] = ELEMENTWISE[node.op]([values[source] for source in node.inputs])
            continue
        total = cell.biases[n_biases].expand(x.shape[0], -1)
        for source in node.inputs:
            total = total + functional.linear(values[source], weights[n_weights])
            n_weights += 1
        n_biases += 1
        values[node.name] = total
    return [values[f"h_new_{k}"] for k in range(cell.genotype.n_states)]
