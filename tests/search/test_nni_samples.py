"""Samples that algorithms draw and change: uniform, new, one choice apart."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy import stats

from audionas.search.nni_samples import Samples
from audionas.search.tabular_space import TableSpace
from audionas.spaces import load_search_space

SPACE = TableSpace({"a": ("0", "1", "2"), "b": ("x", "y"), "c": ("only",)})


def samples(space: Any, seed: int = 0) -> Samples:
    model_space = SimpleNamespace(model=SimpleNamespace(trace_kwargs={"space": space}))
    return Samples(model_space, np.random.RandomState(seed))


def distance(one: dict[str, str], other: dict[str, str]) -> int:
    return sum(one[label] != other[label] for label in one)


def test_draws_are_uniform_and_stop_when_all_are_known() -> None:
    firsts = Counter(str(samples(SPACE, seed).draw()) for seed in range(600))
    assert len(firsts) == 6
    assert stats.chisquare(list(firsts.values())).pvalue > 0.001
    found = samples(SPACE)
    assert len({str(found.draw()) for _ in range(6)}) == 6
    assert found.draw() is None


def test_a_child_differs_in_one_choice_and_a_known_child_is_changed_once_more() -> None:
    start = {"a": "0", "b": "x", "c": "only"}
    found = samples(SPACE)
    found.note(start)
    children = [found.changed(start) for _ in range(5)]
    assert children[0] is not None
    assert distance(start, children[0]) == 1
    assert len({str(child) for child in children}) == 5
    assert str(start) not in map(str, children)
    assert found.changed(start) is None


def test_two_changes_may_hit_one_choice_or_two() -> None:
    start = {"a": "0", "b": "x", "c": "only"}
    fresh = [samples(SPACE, seed).changed(start, 2) for seed in range(50)]
    assert {distance(start, child) for child in fresh if child} == {0, 1, 2}


def test_neighbours_are_all_that_differ_in_one_choice_in_a_drawn_order() -> None:
    start = {"a": "0", "b": "x", "c": "only"}
    orders = [samples(SPACE, seed).neighbours(start) for seed in range(20)]
    for order in orders:
        assert sorted(map(str, order)) == sorted(
            str({**start, **change}) for change in ({"a": "1"}, {"a": "2"}, {"b": "y"})
        )
    assert len({str(order) for order in orders}) == 6, "3! orders"


def test_a_space_of_one_architecture_has_no_child() -> None:
    found = samples(TableSpace({"a": ("only",)}))
    assert found.draw() == {"a": "only"}
    assert found.changed({"a": "only"}) is None
    assert found.neighbours({"a": "only"}) == []


def test_in_a_recurrent_space_a_choice_that_is_not_used_gives_no_new_architecture() -> None:
    space = load_search_space("nas_bench_nlp_rnn")
    found = samples(space)
    start = found.draw()
    assert start is not None
    children = [found.changed(start) for _ in range(20)]
    hashes = {space.genotype(child).hash for child in children if child}
    assert len(hashes) == 20
    assert space.genotype(start).hash not in hashes
