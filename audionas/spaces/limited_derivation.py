"""Derivation of CNN cells under ceilings of additive costs: exact, and best first.

The value of a genotype is the sum over its kept edges of the weight of the kept operation, `none` never kept. Without
a ceiling its maximum is the rule of DARTS (Liu et al. 2019, section 2.4): the strongest operation of each edge, the
strongest edges of each node. Under ceilings it is a knapsack: a dynamic programme over the edges of both cells keeps,
for every number of edges kept so far, the Pareto front of (cost, ..., value) that the remaining edges can add, and a
best-first search that is guided by these fronts lists genotypes from the best on, without a step in vain.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from audionas.spaces.cnn_cell import KINDS, CnnCellSpace
from audionas.spaces.cnn_genotype import Cell, CnnGenotype, node_edges
from audionas.spaces.pareto_front import Front

Ints = NDArray[np.int64]
_SCALE = 2.0**50  # weights lie in [0, 1]; as whole numbers their sums do not depend on the order of adding


@dataclass(frozen=True)
class AdditiveCost:
    """A cost that is `constant` plus the sum of `of[kind][edge, operation]` over kept edges, all whole numbers.

    `of` has one row for each of `space.edges` and one column for each of `space.real_ops`.
    """

    constant: int
    of: Mapping[str, Ints]

    def total(self, space: CnnCellSpace, genotype: CnnGenotype) -> int:
        """The cost of a genotype of the space."""
        rows = {edge: row for row, edge in enumerate(space.edges)}
        columns = {op: column for column, op in enumerate(space.real_ops)}
        found = self.constant
        for kind in KINDS:
            for node, op, source in _kept_edges(space, getattr(genotype, kind)):
                found += int(self.of[kind][rows[node, source], columns[op]])
        return found


@dataclass(frozen=True)
class Ceiling:
    """An additive cost and the most that it may come to."""

    cost: AdditiveCost
    most: int


def genotypes_best_first(
    space: CnnCellSpace, weights: Mapping[str, NDArray[np.float64]], ceilings: Sequence[Ceiling] = ()
) -> Iterator[CnnGenotype]:
    """Every genotype within all ceilings, the highest value first; nothing where there is none.

    Of equal values the one comes first that keeps earlier inputs, and operations that stand earlier in the space: the
    order in which DARTS breaks ties. Values are compared to 50 binary digits.

    Args:
        weights: of each cell kind, (edges, operations of `space.ops`), 0 to 1.
    """
    columns = [space.ops.index(op) for op in space.real_ops]
    values = {kind: np.rint(weights[kind][:, columns] * _SCALE).astype(np.int64) for kind in KINDS}
    for codes in _Programme(space, values, ceilings).best_first():
        yield _decoded(space, codes)


def cheapest(space: CnnCellSpace, cost: AdditiveCost, ceilings: Sequence[Ceiling] = ()) -> CnnGenotype | None:
    """The genotype with the least cost within the ceilings; None where there is none within them."""
    values = {kind: -cost.of[kind] for kind in KINDS}
    codes = next(_Programme(space, values, ceilings).best_first(), None)
    return None if codes is None else _decoded(space, codes)


@dataclass(frozen=True)
class _Stage:
    """One edge of one cell; the edges of both cells are decided one after another."""

    kind: str
    row: int
    n_kept: int  # that the edge's node keeps altogether
    n_left: int  # edges of the node that come after this one

    def after(self, kept: int, *, keep: bool) -> int | None:
        """Edges kept of the node whose turn is next; None where the node could not keep its number."""
        kept += keep
        if kept > self.n_kept or kept + self.n_left < self.n_kept:
            return None
        return kept if self.n_left else 0


@dataclass(frozen=True)
class _Programme:
    """Decisions in stage order; a code is the index of the kept operation, or `n_ops` for an edge left out."""

    space: CnnCellSpace
    values: Mapping[str, Ints]
    ceilings: Sequence[Ceiling]

    @cached_property
    def stages(self) -> list[_Stage]:
        edges = [(row, node, source) for row, (node, source) in enumerate(self.space.edges)]
        return [
            _Stage(kind, row, self.space.kept(node), node - 1 - source) for kind in KINDS for row, node, source in edges
        ]

    @cached_property
    def room(self) -> Ints:
        """What the ceilings leave to the edges, (ceilings,)."""
        return np.array([ceiling.most - ceiling.cost.constant for ceiling in self.ceilings], dtype=np.int64)

    def costs(self, stage: _Stage) -> Ints:
        """(operations, ceilings)."""
        n_ops = len(self.space.real_ops)
        found = [ceiling.cost.of[stage.kind][stage.row] for ceiling in self.ceilings]
        return np.stack(found, axis=1) if found else np.zeros((n_ops, 0), dtype=np.int64)

    @cached_property
    def least_before(self) -> list[dict[int, Ints]]:
        """For each stage and number of edges kept: the least that each cost has come to, whatever the others."""
        table: list[dict[int, Ints]] = [{0: np.zeros(len(self.ceilings), dtype=np.int64)}]
        for stage in self.stages:
            reached: dict[int, Ints] = {}
            for kept, cost in table[-1].items():
                for keep in (False, True):
                    after = stage.after(kept, keep=keep)
                    if after is not None:
                        new = cost + self.costs(stage).min(axis=0) if keep else cost
                        reached[after] = np.minimum(reached[after], new) if after in reached else new
            table.append(reached)
        return table

    @cached_property
    def fronts(self) -> list[dict[int, Front]]:
        """For each stage and number of edges kept: what this and all later stages can add to (costs, value)."""
        table: list[dict[int, Front]] = [{0: Front.of_nothing(len(self.ceilings))}]
        for number in range(len(self.stages) - 1, -1, -1):
            stage, later = self.stages[number], table[-1]
            found: dict[int, Front] = {}
            for kept, least in self.least_before[number].items():
                parts = []
                skipped, taken = stage.after(kept, keep=False), stage.after(kept, keep=True)
                if skipped is not None and skipped in later:
                    parts.append(later[skipped])
                if taken is not None and taken in later:
                    parts.append(later[taken].with_each(self.costs(stage), self.values[stage.kind][stage.row]))
                front = Front.best_of(parts, self.room - least) if parts else None
                if front is not None:
                    found[kept] = front
            table.append(found)
        return table[::-1]

    def best_first(self) -> Iterator[tuple[int, ...]]:
        """The codes of every genotype within the ceilings, the highest value first, then in the order of codes."""
        start = self._bound(0, 0, self.room)
        if start is None:
            return
        # (minus the best value that is still possible, codes so far, edges kept, value so far, room left)
        heap: list[tuple[int, tuple[int, ...], int, int, tuple[int, ...]]] = [
            (-start, (), 0, 0, tuple(map(int, self.room)))
        ]
        while heap:
            _, codes, kept, value, room = heapq.heappop(heap)
            if len(codes) == len(self.stages):
                yield codes
                continue
            for following in self._following(codes, kept, value, np.array(room, dtype=np.int64)):
                heapq.heappush(heap, following)

    def _following(
        self, codes: tuple[int, ...], kept: int, value: int, room: Ints
    ) -> Iterator[tuple[int, tuple[int, ...], int, int, tuple[int, ...]]]:
        stage = self.stages[len(codes)]
        costs, values, n_ops = self.costs(stage), self.values[stage.kind][stage.row], len(self.space.real_ops)
        for code in range(n_ops + 1):
            keep = code < n_ops
            after = stage.after(kept, keep=keep)
            if after is None:
                continue
            left = room - costs[code] if keep else room
            new = value + (int(values[code]) if keep else 0)
            bound = self._bound(len(codes) + 1, after, left)
            if bound is not None:
                yield -(new + bound), (*codes, code), after, new, tuple(map(int, left))

    def _bound(self, stage: int, kept: int, room: Ints) -> int | None:
        """The highest value that later stages can add within the room; None where nothing fits."""
        front = self.fronts[stage].get(kept)
        return None if front is None else front.best_within(room)


def _kept_edges(space: CnnCellSpace, cell: Cell) -> Iterator[tuple[int, str, int]]:
    """(node, operation, source) of every kept edge."""
    for node, edges in enumerate(node_edges(cell, space.edges_per_node), start=2):
        for op, source in edges:
            yield node, op, source


def _decoded(space: CnnCellSpace, codes: tuple[int, ...]) -> CnnGenotype:
    n_edges = len(space.edges)
    cells = []
    for own in (codes[:n_edges], codes[n_edges:]):
        kept = [
            (code, source) for code, (_, source) in zip(own, space.edges, strict=True) if code < len(space.real_ops)
        ]
        cells.append(tuple((space.real_ops[code], source) for code, source in kept))
    return space.make(cells[0], cells[1])
