"""How far independently found genotypes are the same: shared edges of CNN cells, equal hashes of any kind.

Genotypes of several restarts of one search that have little in common were not found but drawn: what random
genotypes of the space share by chance is the scale on which an agreement is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from statistics import mean

from audionas.spaces.cnn_cell import CnnCellSpace
from audionas.spaces.cnn_genotype import Cell, Edge, node_edges


def cell_agreement(cells: Sequence[Sequence[Edge]], edges_per_node: int = 2) -> float | None:
    """Mean share of edges that two cells have in common, over all pairs of cells; None for fewer than two.

    An edge is (node, operation, input). Nodes are compared by their number, so cells that are isomorphic under
    another numbering of the nodes may share less than all edges; `same_hash` counts such cells as equal.
    """
    placed = [_placed(cell, edges_per_node) for cell in cells]
    shares = [len(one & other) / len(one) for one, other in combinations(placed, 2)]
    return mean(shares) if shares else None


def chance_agreement(space: CnnCellSpace) -> float:
    """The agreement to expect of two genotypes drawn uniformly, the same for both kinds of cell.

    Node n keeps k of its n inputs, each with one of m operations: each kept edge is in another draw with
    probability k / n / m. The mean over the kept edges is sum(k * k / n) / m / sum(k).
    """
    nodes = range(2, space.nodes + 2)
    shared = sum(space.kept(node) ** 2 / node for node in nodes) / len(space.real_ops)
    return shared / sum(space.kept(node) for node in nodes)


def same_hash(hashes: Sequence[str]) -> float | None:
    """Share of pairs of genotypes that are equal, isomorphic ones counted as equal; None for fewer than two."""
    pairs = [one == other for one, other in combinations(hashes, 2)]
    return mean(pairs) if pairs else None


def _placed(cell: Sequence[Edge], edges_per_node: int) -> set[tuple[int, str, int]]:
    """(node, operation, input) of each edge; a node takes an input once, so no edge stands twice."""
    edges: Cell = tuple((str(op), int(source)) for op, source in cell)
    nodes = node_edges(edges, edges_per_node)
    return {(node, op, source) for node, kept in enumerate(nodes, start=2) for op, source in kept}
