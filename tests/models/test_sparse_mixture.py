"""What of a drawn recurrent cell is computed, worked out by hand for four nodes."""

from __future__ import annotations

import torch
from torch import Tensor

from audionas.models.mixed_recipe_cell import Mixture
from audionas.models.sparse_mixture import ComputedNode, computed_nodes

OPS = (("linear", "elementwise_sum", "activation_tanh"),) * 3  # of n1, n2, n3
H, N0, N1, N2 = range(4)  # sources


def row(n: int, *places: int) -> Tensor:
    return torch.tensor([float(k in places) for k in range(n)])


def node_inputs(i: int, a: tuple[int, ...], b: tuple[int, ...]) -> Tensor:
    return torch.stack([row(i + 1, *a), row(i + 1, *b)])


def test_of_a_node_on_the_path_the_pair_is_computed_and_of_one_beside_it_its_path() -> None:
    path = Mixture(
        (row(3, 1), row(3, 0), row(3, 1)),  # n1 = sum, n2 = linear, n3 = sum
        (node_inputs(1, (N0,), (H,)), node_inputs(2, (N0,), (H,)), node_inputs(3, (N2,), (H,))),
    )
    drawn = Mixture(
        (row(3, 1, 2), row(3, 0, 1), row(3, 1, 2)),
        (node_inputs(1, (N0,), (H, N0)), node_inputs(2, (N0, N1), (H, N1)), node_inputs(3, (N1, N2), (H, N0))),
    )
    assert computed_nodes(path, drawn, OPS, 1) == {
        1: ComputedNode((1,), ((N0,), (H,))),  # read by n3 and n2 with weight 0: its sum of its path alone
        2: ComputedNode((0, 1), ((N0, N1), (H,))),  # its sum weighs 0, so what that adds to n0 is its path
        3: ComputedNode((1, 2), ((N1, N2), (H, N0))),
    }


def test_of_a_path_what_nothing_reads_is_not_computed() -> None:
    path = Mixture(
        (row(3, 1), row(3, 1), row(3, 2)),
        (node_inputs(1, (N0,), (H,)), node_inputs(2, (N0,), (H,)), node_inputs(3, (N1,), (N2,))),
    )
    assert computed_nodes(path, path, OPS, 1) == {
        1: ComputedNode((1,), ((N0,), (H,))),
        3: ComputedNode((2,), ((N1,),)),  # a tanh has no input b
    }


def test_the_nodes_of_all_states_are_computed() -> None:
    path = Mixture(
        (row(3, 2), row(3, 2), row(3, 2)),
        tuple(torch.stack([row(i + 2, 2), row(i + 2, 0)]) for i in (1, 2, 3)),  # two states, then n0: all read n0
    )
    assert list(computed_nodes(path, path, OPS, 2)) == [2, 3]
