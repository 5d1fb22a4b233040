"""Non-dominated sorting and crowding distance, against pymoo and against their definitions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from audionas.search.non_dominated import crowded_order, crowding_distances, non_dominated_ranks

CASES = json.loads((Path(__file__).parents[1] / "reference" / "nsga2" / "fronts.json").read_text())


@pytest.mark.parametrize("case", CASES)
def test_ranks_are_those_of_pymoo(case: dict[str, Any]) -> None:
    assert non_dominated_ranks(np.array(case["values"])).tolist() == case["ranks"]


@pytest.mark.parametrize("case", [case for case in CASES if case["fronts"]])
def test_crowding_distances_are_those_of_pymoo(case: dict[str, Any]) -> None:
    values = np.array(case["values"])
    for front in case["fronts"]:
        expected = [np.inf if each is None else each for each in front["distances"]]
        assert crowding_distances(values[front["points"]]) == pytest.approx(expected)


@settings(max_examples=50)
@given(arrays(np.float64, st.tuples(st.integers(1, 12), st.integers(1, 3)), elements=st.integers(0, 4).map(float)))
def test_the_first_front_are_the_points_that_no_other_dominates_and_each_later_one_that_of_what_is_left(
    values: np.ndarray,
) -> None:
    ranks = non_dominated_ranks(values)
    left = list(range(len(values)))
    for rank in range(int(ranks.max()) + 1):
        free = [
            i for i in left
            if not any(all(a <= b for a, b in zip(values[j], values[i], strict=True)) and (values[j] != values[i]).any()
                       for j in left)
        ]  # fmt: skip
        assert free == [i for i in left if ranks[i] == rank]
        left = [i for i in left if i not in free]
    assert not left


def test_of_one_front_the_least_crowded_stand_first_and_later_fronts_behind() -> None:
    values = np.array([[5.0, 5.0], [0.0, 4.0], [4.0, 0.0], [1.0, 2.0], [1.5, 1.5]])
    # the inner points: (1, 2) has (1.5 - 0) / 4 + (4 - 1.5) / 4 = 1, (1.5, 1.5) has 3 / 4 + 2 / 4 = 1.25
    assert crowded_order(values) == [1, 2, 4, 3, 0]


def test_an_objective_in_which_all_are_equal_tells_nothing() -> None:
    assert crowding_distances(np.array([[1.0, 7.0], [2.0, 7.0], [5.0, 7.0]]))[1] == 1.0
