"""A cell of the supernet: every node sums the mixed operations of the edges from all earlier states.

Source: Liu et al. 2019 (DARTS), equation 2; of the weights of edges, Xu et al. 2020 (PC-DARTS), equation 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from audionas.kernels.mixed_sum import mixed_sum
from audionas.models.mixed_op import MixedOp, shuffled
from audionas.models.source_terms import Term, note_statistics, terms_of_source
from audionas.spaces import CnnCellSpace
from audionas.spaces.cnn_genotype import Cell, node_edges


@dataclass(frozen=True)
class CellWeights:
    """What mixes the cells of a kind: weights (edges, ops), of the edges (edges,) or None, and who is computed."""

    ops: Tensor
    edges: Tensor | None = None
    active: tuple[tuple[bool, ...], ...] | None = None


class MixedCell(nn.Module):
    """A cell in which every node sums the mixed operations from all earlier nodes.

    Where BN takes the statistics of the batch, what edges out of one state have in common is computed once, and the
    BN that ends an operation is part of the node's sum; with running statistics every edge is computed by itself.
    """

    def __init__(self, space: CnnCellSpace, channels: int, stride: int, partial: int = 1, causal: bool = False) -> None:
        super().__init__()
        self.edges = space.edges
        self.edges_per_node = space.edges_per_node
        self.n_nodes = space.nodes
        self.ops = nn.ModuleList(
            MixedOp(space.ops, channels, stride if source < 2 else 1, partial, causal) for _, source in space.edges
        )

    def forward(self, s0: Tensor, s1: Tensor, weights: CellWeights, kept: Cell | None = None) -> Tensor:
        """`weights` mix the operations; with `kept`, only those edges run, each one operation, and weigh 1."""
        if kept is not None:
            weights = self._weights_of(kept, weights.ops)
        if not self._normalises_by_batch():
            return self.edge_by_edge(s0, s1, weights)
        states, terms = [s0, s1], _Terms(self, weights)
        terms.add(0, s0)
        terms.add(1, s1)
        for n in range(self.n_nodes):
            states.append(terms.sum_of(n))
            if n < self.n_nodes - 1:
                terms.add(n + 2, states[-1])
        return torch.cat(states[2:], dim=1)

    def edge_by_edge(self, s0: Tensor, s1: Tensor, weights: CellWeights) -> Tensor:
        """The same, each edge by itself, as the paper has it."""
        states = [s0, s1]
        for n in range(self.n_nodes):
            terms = [self._edge(k, states[self.edges[k][1]], weights) for k in self.edges_of(n, weights)]
            total = terms[0]
            for term in terms[1:]:
                total = total + term
            states.append(total)
        return torch.cat(states[2:], dim=1)

    def edges_of(self, n: int, weights: CellWeights) -> list[int]:
        """Numbers of the edges into inner node n (from 0), without those of which nothing is computed; one at least."""
        numbers = [number for number, (node, _) in enumerate(self.edges) if node == n + 2]
        return [k for k in numbers if weights.active is None or any(weights.active[k])] or numbers[:1]

    def _edge(self, edge: int, x: Tensor, weights: CellWeights) -> Tensor:
        active = weights.active[edge] if weights.active is not None else None
        y = cast(Tensor, self.ops[edge](x, weights.ops[edge], active))
        return y if weights.edges is None else weights.edges[edge] * y

    def _weights_of(self, kept: Cell, like: Tensor) -> CellWeights:
        """One-hot weights: 1 for what a genotype keeps."""
        names = cast(MixedOp, self.ops[0]).names
        chosen = {
            (n + 2, source): op for n, edges in enumerate(node_edges(kept, self.edges_per_node)) for op, source in edges
        }
        active = tuple(tuple(chosen.get(edge) == name for name in names) for edge in self.edges)
        return CellWeights(torch.tensor(active, dtype=like.dtype, device=like.device), None, active)

    def _normalises_by_batch(self) -> bool:
        return next((m.training for m in self.modules() if isinstance(m, nn.BatchNorm2d)), True)


class _Terms:
    """What the nodes of a cell sum, collected state by state."""

    def __init__(self, cell: MixedCell, weights: CellWeights) -> None:
        self.cell, self.weights = cell, weights
        self._mixed: dict[int, list[Term]] = {}
        self._passed: dict[int, Tensor] = {}  # of an edge, the channels that no operation sees
        self._partial = 1

    def add(self, source: int, h: Tensor) -> None:
        """Compute the edges out of a state."""
        out = [(k, cast(MixedOp, self.cell.ops[k])) for k, (_, j) in enumerate(self.cell.edges) if j == source]
        self._partial, stride = out[0][1].partial, out[0][1].stride
        own = h.shape[1] // self._partial
        if self._partial > 1:
            rest = h[:, own:]
            passed = max_pool2d(rest, stride, stride, ceil_mode=True) if stride > 1 else rest
            self._passed.update(dict.fromkeys((k for k, _ in out), passed))
        for term in terms_of_source(h[:, :own] if self._partial > 1 else h, out, self._is_active):
            self._mixed.setdefault(term.edge, []).append(term)
        self._like = (h.shape[0], own, *(-(-size // stride) for size in h.shape[2:]))
        self._empty = h

    def sum_of(self, n: int) -> Tensor:
        """The value of inner node n."""
        numbers = self.cell.edges_of(n, self.weights)
        terms = [term for number in numbers for term in sorted(self._mixed.get(number, []), key=lambda t: t.op)]
        mixed = self._sum(terms) if terms else self._empty.new_zeros(self._like)
        if self._partial == 1:
            return mixed
        edges = self.weights.edges
        shares = mixed.new_ones(len(numbers)) if edges is None else _chosen(edges, numbers)
        rest, _, _ = mixed_sum(shares, [self._passed[k] for k in numbers], [False] * len(numbers))
        return shuffled(torch.cat([mixed, rest], dim=1), self._partial)

    def _sum(self, terms: Sequence[Term]) -> Tensor:
        ops, edges = self.weights.ops, self.weights.edges
        weights = _chosen(ops.flatten(), [term.edge * ops.shape[1] + term.op for term in terms])
        if edges is not None:
            weights = weights * _chosen(edges, [term.edge for term in terms])
        norms = [term.norm for term in terms]
        mixed, mean, variance = mixed_sum(weights, [term.value for term in terms], [norm is not None for norm in norms])
        note_statistics(norms, mean, variance, terms[0].value)
        return mixed

    def _is_active(self, edge: int, op: int) -> bool:
        return self.weights.active is None or self.weights.active[edge][op]


def _chosen(values: Tensor, places: Sequence[int]) -> Tensor:
    """The values (n,) at some places."""
    return values.index_select(0, _places(tuple(places), values.device))


@lru_cache(maxsize=4096)
def _places(places: tuple[int, ...], device: torch.device) -> Tensor:
    """Kept on the device: a list of Python would be copied there in every pass, for which the host waits."""
    with torch.inference_mode(False):
        return torch.tensor(places, device=device)
