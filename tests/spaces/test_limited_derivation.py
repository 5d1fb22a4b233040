"""Derivation under ceilings against every genotype of a space of two nodes, and against the rule of DARTS."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice, product

import numpy as np
import pytest
from numpy.typing import NDArray

from audionas.models.cnn_supernet import CnnSupernet
from audionas.spaces import CnnCellSpace, CnnGenotype
from audionas.spaces.cnn_cell import KINDS
from audionas.spaces.limited_derivation import AdditiveCost, Ceiling, cheapest, genotypes_best_first

SPACE = CnnCellSpace(nodes=2, ops=("skip_connect", "none", "sep_conv_3x3", "avg_pool_3x3"))
OPS = ("skip_connect", "sep_conv_3x3", "avg_pool_3x3")
EDGES = ((2, 0), (2, 1), (3, 0), (3, 1), (3, 2))
PAIRS = ((0, 1), (0, 2), (1, 2))  # the inputs of node 3
Weights = dict[str, NDArray[np.float64]]


def every_cell() -> list[tuple[tuple[str, int], ...]]:
    """Node 2 keeps inputs 0 and 1, node 3 a pair of three; in the order in which DARTS breaks ties."""
    return [
        ((a, 0), (b, 1), (c, pair[0]), (d, pair[1]))
        for a, b in product(OPS, OPS)
        for pair in PAIRS
        for c, d in product(OPS, OPS)
    ]


CELLS = every_cell()


def sums(table: NDArray[np.generic], columns: tuple[str, ...]) -> NDArray[np.int64]:
    """The sum of a table (edges, operations) over the four kept edges of every cell, in whole numbers."""
    edges = [
        [EDGES.index((node, source)) for node, (_, source) in zip((2, 2, 3, 3), cell, strict=True)] for cell in CELLS
    ]
    ops = [[columns.index(op) for op, _ in cell] for cell in CELLS]
    whole = np.rint(table * 2.0**50).astype(np.int64) if table.dtype.kind == "f" else table
    return np.asarray(whole[np.array(edges), np.array(ops)].sum(axis=1))


def totals(table: Mapping[str, NDArray[np.generic]], columns: tuple[str, ...], constant: int = 0) -> NDArray[np.int64]:
    """The same of every pair of cells, (normal cells, reduction cells)."""
    return constant + sums(table["normal"], columns)[:, None] + sums(table["reduce"], columns)[None]


def brute_force(weights: Weights, ceilings: list[Ceiling], n: int = 1) -> list[tuple[int, CnnGenotype]]:
    """The n best genotypes within the ceilings with their values; of equal ones the earlier cells first."""
    value = totals(weights, SPACE.ops)
    fits = np.ones_like(value, dtype=bool)
    for ceiling in ceilings:
        fits &= totals(ceiling.cost.of, OPS, ceiling.cost.constant) <= ceiling.most
    order = np.argsort(-value, axis=None, kind="stable")
    best = [divmod(int(i), len(CELLS)) for i in order[fits.flat[order]][:n]]
    return [(int(value[at]), SPACE.make(CELLS[at[0]], CELLS[at[1]])) for at in best]


def drawn(seed: int, levels: int | None = None) -> tuple[Weights, list[AdditiveCost]]:
    """Weights of rows that sum to 1 (with `levels`: few values, so full of ties), and two costs."""
    rng = np.random.default_rng(seed)
    weights = {}
    for kind in KINDS:
        raw = rng.random((5, 4)) if levels is None else rng.integers(1, levels + 1, (5, 4)) / 8
        weights[kind] = raw / raw.sum(1, keepdims=True) if levels is None else raw
    top = 1000 if levels is None else 4
    costs = [AdditiveCost(50 * i, {kind: rng.integers(-top // 4, top, (5, 3)) for kind in KINDS}) for i in (1, 2)]
    return weights, costs


def between(weights: Weights, cost: AdditiveCost, share: float) -> Ceiling:
    """A ceiling between the least cost and that of the unlimited genotype."""
    least = cheapest(SPACE, cost)
    assert least is not None
    free = cost.total(SPACE, next(genotypes_best_first(SPACE, weights)))
    low = cost.total(SPACE, least)
    return Ceiling(cost, int(low + share * (free - low)))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_one_ceiling_gives_what_trying_every_genotype_gives(seed: int, share: float) -> None:
    weights, costs = drawn(seed)
    ceilings = [between(weights, costs[0], share)]
    best_value, best = brute_force(weights, ceilings)[0]
    found = next(genotypes_best_first(SPACE, weights, ceilings))
    assert found == best
    assert costs[0].total(SPACE, found) <= ceilings[0].most
    assert best_value < brute_force(weights, [])[0][0], "the ceiling must bind, or the test says nothing"


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_two_ceilings_at_once_give_what_trying_every_genotype_gives(seed: int) -> None:
    weights, costs = drawn(seed)
    ceilings = [between(weights, cost, 0.7) for cost in costs]
    expected = brute_force(weights, ceilings)
    assert expected, "some genotype must be within both"
    for alone in ceilings:  # both bind
        assert expected[0][0] < brute_force(weights, [alone])[0][0] or seed != 3
    assert next(genotypes_best_first(SPACE, weights, ceilings)) == expected[0][1]


@pytest.mark.parametrize("n_ceilings", [0, 1, 2])
def test_of_equal_values_the_one_that_darts_would_take_comes_first(n_ceilings: int) -> None:
    for seed in range(6):
        weights, costs = drawn(10 + seed, levels=2)
        ceilings = [between(weights, cost, 0.8) for cost in costs[:n_ceilings]]
        expected = brute_force(weights, ceilings)
        found = next(genotypes_best_first(SPACE, weights, ceilings), None)
        assert found == (expected[0][1] if expected else None)


@pytest.mark.parametrize("n_ceilings", [0, 1, 2])
def test_the_list_goes_on_from_best_to_worst_without_a_gap(n_ceilings: int) -> None:
    weights, costs = drawn(6)
    ceilings = [between(weights, cost, 0.8) for cost in costs[:n_ceilings]]
    expected = [genotype for _, genotype in brute_force(weights, ceilings, 200)]
    assert list(islice(genotypes_best_first(SPACE, weights, ceilings), 200)) == expected


def test_the_list_ends_after_every_genotype() -> None:
    space = CnnCellSpace(nodes=1, ops=("none", "skip_connect", "sep_conv_3x3"))
    weights = {kind: np.random.default_rng(0).random((2, 3)) for kind in KINDS}
    found = list(genotypes_best_first(space, weights))
    assert len(found) == len(set(found)) == space.size() == 16


def test_the_cheapest_genotype_is_the_least_of_all() -> None:
    for seed in range(3):
        _, costs = drawn(20 + seed)
        first, second = (totals(cost.of, OPS, cost.constant) for cost in costs)
        least = cheapest(SPACE, costs[0])
        assert least is not None
        assert costs[0].total(SPACE, least) == first.min()
        other = Ceiling(costs[1], costs[1].total(SPACE, least) - 1)  # the cheapest one is over the other ceiling
        within = first[second <= other.most]
        found = cheapest(SPACE, costs[0], [other])
        assert (None if found is None else costs[0].total(SPACE, found)) == (within.min() if len(within) else None)


def test_a_ceiling_below_the_least_cost_leaves_nothing() -> None:
    weights, costs = drawn(7)
    least = cheapest(SPACE, costs[0])
    assert least is not None
    low = costs[0].total(SPACE, least)
    assert next(genotypes_best_first(SPACE, weights, [Ceiling(costs[0], low)]), None) == least
    assert list(genotypes_best_first(SPACE, weights, [Ceiling(costs[0], low - 1)])) == []


@pytest.mark.parametrize("nodes,edges_per_node", [(4, 2), (3, 1), (4, 3)])
def test_without_a_ceiling_it_is_the_rule_of_darts(nodes: int, edges_per_node: int) -> None:
    space = CnnCellSpace(
        nodes=nodes, edges_per_node=edges_per_node, ops=("none", "skip_connect", "sep_conv_3x3", "avg_pool_3x3"),
        macro={"n_cells": 1, "channels": 1},
    )  # fmt: skip
    supernet = CnnSupernet(space, space.macro, (1, 4, 4), 2)
    rng = np.random.default_rng(nodes)
    for draw in range(20):
        weights = {}
        for kind in KINDS:
            alphas = supernet.alphas(kind)
            # every second draw has three values only, so that ties are broken too
            values = rng.normal(size=alphas.shape) if draw % 2 else rng.integers(0, 3, alphas.shape).astype(float)
            alphas.data = alphas.data.new_tensor(values)
            exponents = np.exp(np.asarray(alphas.tolist()))
            weights[kind] = exponents / exponents.sum(1, keepdims=True)
        assert next(genotypes_best_first(space, weights)) == supernet.genotype()
