"""Shares of a part's clips: nested, stratified, whole groups but one, the same for one seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audionas.audio.manifest import Clip, Manifest
from audionas.audio.shares import share_of_rows, share_order

LABELS = ("a", "b", "c")


def manifest(groups: list[str], labels: list[int]) -> Manifest:
    clips = [
        Clip(f"{i}.wav", LABELS[label], group, clip=str(i), sha256=str(i))
        for i, (group, label) in enumerate(zip(groups, labels, strict=True))
    ]
    return Manifest(Path("/toy"), tuple(clips), LABELS)


def balanced(n_groups: int = 9, each: int = 6) -> Manifest:
    """Groups of equal size, each with two clips of every class."""
    return manifest([f"g{i // each}" for i in range(n_groups * each)], [i % 3 for i in range(n_groups * each)])


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), min_size=1, max_size=40), st.integers(0, 3), st.data())
def test_shares_are_nested_of_the_size_asked_for_and_split_one_group_at_most(
    clips: list[tuple[int, int]], seed: int, data: st.DataObject
) -> None:
    corpus = manifest([f"g{group}" for group, _ in clips], [label for _, label in clips])
    rows = [row for row in range(len(clips)) if row % 4 != 3] or [0]
    small, large = sorted(data.draw(st.tuples(st.floats(0.01, 1), st.floats(0.01, 1))))
    few, many = (share_of_rows(corpus, rows, share, seed) for share in (small, large))
    assert set(few) <= set(many) <= set(rows)
    assert len(few) == max(1, round(small * len(rows)))
    assert list(few) == sorted(few)
    members = {group: [r for r in rows if corpus.clips[r].group == group] for group in {c.group for c in corpus.clips}}
    if any(len(each) > 1 for each in members.values()):
        torn = [g for g, each in members.items() if 0 < len(set(each) & set(few)) < len(each)]
        assert len(torn) <= 1


def test_a_third_of_equal_groups_are_whole_groups_with_every_class_evenly() -> None:
    corpus = balanced()
    found = share_of_rows(corpus, range(54), 1 / 3, 0)
    groups = {corpus.clips[row].group for row in found}
    assert (len(found), len(groups)) == (18, 3)
    assert np.bincount(corpus.targets[list(found)]).tolist() == [6, 6, 6]


def test_part_of_a_group_has_every_class_too() -> None:
    corpus = balanced()
    found = share_of_rows(corpus, range(54), 3 / 54, 0)
    assert sorted(corpus.targets[list(found)].tolist()) == [0, 1, 2]


def test_groups_of_one_class_are_taken_in_turns() -> None:
    corpus = manifest([f"g{i // 4}" for i in range(48)], [i // 16 for i in range(48)])
    found = share_of_rows(corpus, range(48), 0.25, 0)
    assert np.bincount(corpus.targets[list(found)]).tolist() == [4, 4, 4]


def test_where_every_clip_is_its_own_group_classes_stay_in_proportion() -> None:
    corpus = manifest([f"g{i}" for i in range(60)], [0] * 30 + [1] * 20 + [2] * 10)
    found = share_of_rows(corpus, range(60), 0.5, 0)
    assert np.bincount(corpus.targets[list(found)]).tolist() == pytest.approx([15, 10, 5], abs=1)


def test_the_seed_fixes_the_order_and_another_seed_takes_other_groups() -> None:
    corpus = balanced()
    orders = [share_order(corpus, range(54), seed) for seed in (0, 0, 1, 2)]
    assert orders[0] == orders[1]
    assert len({frozenset(order[:18]) for order in orders}) > 1


def test_the_whole_is_the_part_itself() -> None:
    assert share_of_rows(balanced(), (5, 3, 9), 1.0, 0) == (5, 3, 9)
