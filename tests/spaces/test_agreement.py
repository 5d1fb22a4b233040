"""Agreement of genotypes, counted by hand and against drawn genotypes."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from audionas.spaces import load_search_space
from audionas.spaces.agreement import cell_agreement, chance_agreement, same_hash
from audionas.spaces.cnn_cell import CnnCellSpace

ONE = [("sep", 0), ("skip", 1), ("pool", 0), ("pool", 2)]


def test_agreement_is_the_mean_share_of_common_edges_over_all_pairs() -> None:
    other = [("sep", 0), ("pool", 1), ("pool", 0), ("skip", 2)]  # shares sep from 0 and pool from 0: 2 of 4
    third = [("pool", 0), ("pool", 1), ("sep", 0), ("sep", 1)]  # shares nothing with ONE, pool from 1 with `other`
    assert cell_agreement([ONE, ONE]) == 1.0
    assert cell_agreement([ONE, other]) == 0.5
    assert cell_agreement([ONE, other, third]) == pytest.approx((0.5 + 0.0 + 0.25) / 3)
    assert cell_agreement([ONE]) is None


def test_the_order_of_a_nodes_edges_does_not_count_but_its_node_does() -> None:
    assert cell_agreement([ONE, [("skip", 1), ("sep", 0), ("pool", 2), ("pool", 0)]]) == 1.0
    assert cell_agreement([ONE, [("pool", 0), ("pool", 1), ("sep", 0), ("skip", 1)]]) == 0.0


def test_nodes_of_one_edge_are_told_apart() -> None:
    assert cell_agreement([[("a", 0), ("b", 1)], [("b", 1), ("a", 0)]], 1) == 0.0


def test_agreement_by_chance_is_exact_on_a_space_that_can_be_counted() -> None:
    space = CnnCellSpace(nodes=2, edges_per_node=1, ops=("none", "skip_connect", "sep_conv_3x3"))
    edges = [product(space.real_ops, range(2)), product(space.real_ops, range(3))]
    cells = list(product(*map(list, edges)))
    shares = [np.mean([a == b for a, b in zip(one, other, strict=True)]) for one in cells for other in cells]
    assert chance_agreement(space) == pytest.approx(float(np.mean(shares)))


def test_agreement_by_chance_is_that_of_drawn_genotypes() -> None:
    space = load_search_space("darts_cnn")
    assert isinstance(space, CnnCellSpace)
    rng = np.random.default_rng(0)
    pairs = [(space.random(rng).normal, space.random(rng).normal) for _ in range(400)]
    shares = np.array([cell_agreement(pair) for pair in pairs], dtype=float)
    assert abs(shares.mean() - chance_agreement(space)) < 4 * shares.std() / 20  # 20 = sqrt(400)


def test_equal_hashes_are_counted_over_pairs() -> None:
    assert same_hash(["a", "b", "a"]) == pytest.approx(1 / 3)
    assert same_hash(["a"]) is None
