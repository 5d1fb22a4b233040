"""The hash of a genotype is equal exactly for isomorphic cells with equal macro values."""

from __future__ import annotations

import random
import subprocess
import sys
from dataclasses import replace

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st

from audionas.spaces import CnnGenotype, CnnMacro
from audionas.spaces.cnn_genotype import Cell, node_edges
from audionas.spaces.darts_text import from_darts_text
from tests.spaces.genotypes import DARTS_V1, DARTS_V2, genotypes


def reordered(cell: Cell, concat: tuple[int, ...], rng: random.Random) -> tuple[Cell, tuple[int, ...]]:
    """The same cell with its nodes in another topological order and each node's edges shuffled."""
    nodes = node_edges(cell, 2)
    place, order = {0: 0, 1: 1}, []
    while len(order) < len(nodes):
        ready = [i for i in range(len(nodes)) if i not in order and all(s in place for _, s in nodes[i])]
        chosen = rng.choice(ready)
        place[chosen + 2] = len(order) + 2
        order.append(chosen)
    edges = [[(op, place[source]) for op, source in nodes[old]] for old in order]
    for pair in edges:
        rng.shuffle(pair)
    return tuple(edge for pair in edges for edge in pair), tuple(sorted(place[node] for node in concat))


def graph(cell: Cell, concat: tuple[int, ...]) -> nx.MultiDiGraph:
    found = nx.MultiDiGraph()
    found.add_nodes_from([(0, {"kind": "input 0"}), (1, {"kind": "input 1"})])
    for i, edges in enumerate(node_edges(cell, 2)):
        found.add_node(i + 2, kind="output" if i + 2 in concat else "inner")
        found.add_edges_from((source, i + 2, {"op": op}) for op, source in edges)
    return found


def isomorphic(one: CnnGenotype, two: CnnGenotype) -> bool:
    """networkx's answer, by search and without a canonical form."""
    same_kind = nx.algorithms.isomorphism.categorical_node_match("kind", None)
    same_op = nx.algorithms.isomorphism.categorical_multiedge_match("op", None)
    return one.macro == two.macro and all(
        nx.is_isomorphic(
            *(graph(getattr(g, kind), getattr(g, f"{kind}_concat")) for g in (one, two)), same_kind, same_op
        )
        for kind in ("normal", "reduce")
    )


@given(genotypes(edges_per_node=2), st.integers(0, 2**32))
def test_the_order_of_nodes_and_edges_does_not_change_the_hash(genotype: CnnGenotype, seed: int) -> None:
    rng = random.Random(seed)
    parts = {}
    for kind in ("normal", "reduce"):
        cell, concat = reordered(getattr(genotype, kind), getattr(genotype, f"{kind}_concat"), rng)
        parts |= {kind: cell, f"{kind}_concat": concat}
    other = replace(genotype, **parts)
    assert isomorphic(genotype, other)
    assert other.hash == genotype.hash


OPS = st.sampled_from(["skip_connect", "max_pool_3x3"])


@st.composite
def poor_cells(draw: st.DrawFn) -> CnnGenotype:
    """Three or four nodes over two operations, so that many of them are nearly alike."""
    n = draw(st.integers(3, 4))
    edges = [(draw(OPS), draw(st.integers(0, node - 1))) for node in range(2, n + 2) for _ in range(2)]
    reduce = (("skip_connect", 0), ("skip_connect", 1))
    return CnnGenotype(tuple(edges), tuple(range(2, n + 2)), reduce, (2,))


@given(poor_cells(), poor_cells())
@settings(max_examples=300)
def test_hashes_are_equal_exactly_when_networkx_finds_an_isomorphism(one: CnnGenotype, two: CnnGenotype) -> None:
    assert (one.hash == two.hash) == isomorphic(one, two)


def small(*edges: tuple[str, int]) -> CnnGenotype:
    concat = tuple(range(2, len(edges) // 2 + 2))
    return CnnGenotype(edges, concat, edges, concat)


def test_cells_that_unfold_to_the_same_trees_but_share_other_nodes_differ() -> None:
    # nodes 2 and 3 are alike; in `shared` one of them feeds both later nodes, in `apart` each feeds one
    twins = (("skip_connect", 0), ("max_pool_3x3", 1)) * 2
    last = ("dil_conv_3x3", 0)
    shared = small(*twins, ("sep_conv_3x3", 2), ("avg_pool_3x3", 0), ("sep_conv_3x3", 2), last)
    apart = small(*twins, ("sep_conv_3x3", 2), ("avg_pool_3x3", 0), ("sep_conv_3x3", 3), last)
    assert not isomorphic(shared, apart)
    assert shared.hash != apart.hash


def test_another_operation_input_output_or_macro_value_is_another_hash() -> None:
    base = small(("skip_connect", 0), ("max_pool_3x3", 1), ("skip_connect", 0), ("max_pool_3x3", 2))
    others = [
        replace(base, normal=(("avg_pool_3x3", 0), *base.normal[1:])),
        replace(base, normal=(*base.normal[:3], ("max_pool_3x3", 1))),
        replace(base, normal_concat=(3,)),
        replace(base, macro=CnnMacro(channels=7)),
        replace(base, normal=base.reduce[:2], normal_concat=(2,)),
        # the two inputs of a cell are outputs of different cells: exchanging them is another network
        replace(base, normal=tuple((op, 1 - s if s < 2 else s) for op, s in base.normal)),
    ]
    assert len({genotype.hash for genotype in [base, *others]}) == 1 + len(others)


def test_exchanged_cells_are_another_network() -> None:
    one = replace(small(("skip_connect", 0), ("skip_connect", 1)), normal=(("max_pool_3x3", 0), ("skip_connect", 1)))
    assert replace(one, normal=one.reduce, reduce=one.normal).hash != one.hash


def test_the_name_of_the_space_is_not_part_of_the_hash() -> None:
    genotype = from_darts_text(DARTS_V1)
    assert replace(genotype, space="mine").hash == genotype.hash != from_darts_text(DARTS_V2).hash


def test_a_fresh_process_computes_the_same_hash() -> None:
    program = "import sys, audionas.spaces.darts_text as t; print(t.from_darts_text(sys.argv[1]).hash)"
    found = subprocess.run([sys.executable, "-c", program, DARTS_V2], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == from_darts_text(DARTS_V2).hash


def test_many_alike_nodes_do_not_take_long() -> None:
    edges = (("skip_connect", 0), ("skip_connect", 1)) * 12
    assert len(small(*edges).hash) == 64
