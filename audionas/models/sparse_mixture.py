"""A mixture of a recurrent cell of which only what was drawn is computed: of every node one path, or two.

Where a mixing is sparse, all weights of a decision but one are zero; of those some may still have a gradient, as the
second candidate of ProxylessNAS has. What has neither is not computed, and of a node that is read with weight zero
only the path is, since whatever it decides has no gradient.

Sources: Dong and Yang 2019 (GDAS), equation 7; Cai et al. 2019 (ProxylessNAS), sections 3.1 and 3.2. Difference, since
here a node's inputs are choices too: one draw a decision, of operations and of each input; an input that is drawn
where the node has it already moves on, and so it may be a source beside those drawn that is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from audionas.models.mixed_recipe_cell import MixedRecipeCell, Mixture, Step, limited, linear_of_input, new_states
from audionas.ops.recurrent import LINEAR, RNN_OPS


@dataclass(frozen=True)
class ComputedNode:
    """What a pass computes of a node: places of its operations, and of each input that they read those of sources."""

    ops: tuple[int, ...]
    inputs: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class SparseMixture:
    """The weights of a draw, and what of which node is computed; nodes that nothing reads are not there."""

    weights: Mixture
    nodes: Mapping[int, ComputedNode]

    def prepared(self, cell: MixedRecipeCell, x: Tensor) -> tuple[Tensor, Step]:
        """What x gives linear nodes, (directions, batch, frames, nodes, hidden); the step that computes the draw."""
        n, n_states = cell.n_nodes, cell.n_states
        linear = [i for i, node in self.nodes.items() if any(cell.ops[i - 1][k] == LINEAR for k in node.ops)]
        rows = [*([0] if self._reads_first(cell) else []), *linear, *range(n, n + n_states)]
        matrices = self._matrices(cell, rows)

        def step(frame: Tensor, states: list[Tensor]) -> list[Tensor]:
            together, given = torch.cat(states, dim=-1), dict(zip(rows, frame.unbind(2), strict=True))
            values = dict(enumerate(states))

            def linear_of(i: int) -> Tensor:
                total: Tensor = given[i]
                for source, matrix in matrices[i]:
                    total = total + torch.bmm(together if source is None else values[source], matrix)
                return total

            if 0 in given:
                values[n_states] = limited(linear_of(0))
            for i, node in self.nodes.items():
                own = linear_of(i) if i in given else None
                values[n_states + i] = limited(self._node(cell, i, node, own, values))
            ends = [values[n_states + n - 1 - s] for s in range(n_states)]
            return new_states([linear_of(n + s) for s in range(n_states)], states, ends)

        return linear_of_input(x, cell.on_x[:, rows], cell.biases[:, rows]), step

    def _node(
        self, cell: MixedRecipeCell, i: int, node: ComputedNode, own: Tensor | None, values: Mapping[int, Tensor]
    ) -> Tensor:
        """The value of node i, (directions, batch, hidden); `own` is its linear candidate."""
        weights, names = self.weights.inputs[i - 1], cell.ops[i - 1]
        most = max((RNN_OPS[names[k]].fewest for k in node.ops if names[k] != LINEAR), default=0)
        inputs = [
            _sum([weights[slot, source] * values[source] for source in sources])
            for slot, sources in enumerate(node.inputs[:most])
        ]
        terms = []
        for k in node.ops:
            apply = RNN_OPS[names[k]].apply
            value = own if apply is None else apply(inputs[: RNN_OPS[names[k]].fewest])
            assert value is not None
            terms.append(self.weights.ops[i - 1][k] * value)
        return _sum(terms)

    def _reads_first(self, cell: MixedRecipeCell) -> bool:
        """Whether the value of node 0 is read; a linear node whose input is node 0 reads the states instead."""
        for i, node in self.nodes.items():
            names = [cell.ops[i - 1][k] for k in node.ops]
            most = max((RNN_OPS[name].fewest for name in names if name != LINEAR), default=0)
            if any(cell.n_states in sources for sources in node.inputs[:most]):
                return True
        return False

    def _matrices(self, cell: MixedRecipeCell, rows: Sequence[int]) -> dict[int, list[tuple[int | None, Tensor]]]:
        """What each linear node multiplies: all states (None) or a node, and its matrix times the source's weight."""
        n_states, on_states = cell.n_states, cell.dropped(cell.on_states)
        on_nodes = [cell.dropped(weight) for weight in cell.on_nodes]
        found: dict[int, list[tuple[int | None, Tensor]]] = {}
        for i in rows:
            of_states = torch.cat(on_states[:, i].unbind(1), dim=-1).mT
            if i not in self.nodes:
                found[i] = [(None, of_states)]
                continue
            found[i] = []
            for source in self.nodes[i].inputs[0]:
                j, weight = source - n_states, self.weights.inputs[i - 1][0, source]
                matrix = on_nodes[j - 1][:, i - j - 1].mT if j else of_states
                found[i].append((source if j else None, weight * matrix))
        return found


def computed_nodes(
    path: Mixture, drawn: Mixture, ops: Sequence[Sequence[str]], n_states: int
) -> dict[int, ComputedNode]:
    """What has to be computed for a draw, node by node in their order.

    Args:
        path: one-hot weights: what the pass computes.
        drawn: above 0 for whatever was drawn, the path among it.
        ops: names of the candidates of nodes 1, 2, ...
        n_states: sources before those that are nodes.
    """
    n = len(ops) + 1
    live, beside = set(range(n - n_states, n)), set[int]()  # read with weight 1, and with weight 0
    found = {}
    for i in sorted(range(1, n), reverse=True):
        if i not in live | beside:
            continue
        best, reads = int(path.ops[i - 1].argmax()), [1 if op == LINEAR else RNN_OPS[op].fewest for op in ops[i - 1]]
        kept = _positive(drawn.ops[i - 1]) if i in live else (best,)
        inputs = []
        for slot in range(max(reads[k] for k in kept)):
            own = int(path.inputs[i - 1][slot].argmax())
            is_live = i in live and slot < reads[best]
            inputs.append(_positive(drawn.inputs[i - 1][slot]) if is_live else (own,))
            live |= {own - n_states} if is_live else set()
            beside |= {source - n_states for source in inputs[-1]}
        found[i] = ComputedNode(kept, tuple(inputs))
    return dict(sorted(found.items()))


def _positive(weights: Tensor) -> tuple[int, ...]:
    return tuple(k for k, weight in enumerate(weights.tolist()) if weight > 0)


def _sum(terms: Sequence[Tensor]) -> Tensor:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total
