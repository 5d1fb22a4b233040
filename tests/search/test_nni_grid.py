"""The order of a grid search: each assignment once, in a spread order far apart."""

from __future__ import annotations

from itertools import product

import pytest

from audionas.search.nni_grid import assignment, spread_step

CHOICES = {"a": ("0", "1", "2"), "b": ("x", "y"), "c": ("only",), "d": tuple("pqrst")}
SIZE = 30


def test_assignments_count_through_the_product_the_last_choice_fastest() -> None:
    expected = [dict(zip(CHOICES, options, strict=True)) for options in product(*CHOICES.values())]
    assert [assignment(CHOICES, number) for number in range(SIZE)] == expected


@pytest.mark.parametrize("size", [1, 2, 3, 6, 30, 265, 6561, 7**40])
def test_steps_of_the_spread_order_visit_everything(size: int) -> None:
    step = spread_step(size)
    n = min(size, 10_000)
    assert len({i * step % size for i in range(n)}) == n
    if size < 10_000:
        assert {i * step % size for i in range(size)} == set(range(size))


def test_the_first_points_of_the_spread_order_lie_in_all_quarters() -> None:
    step = spread_step(6561)
    assert {4 * (i * step % 6561) // 6561 for i in range(5)} == {0, 1, 2, 3}


def test_a_space_larger_than_any_float_has_a_step() -> None:
    assert spread_step(70**300) > 2**1024
