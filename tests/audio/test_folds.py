"""Folds and parts: whole groups only, every class spread, the same for the same seed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audionas.audio.folds import assign_folds, divide_groups, find_split, missing_classes, outer_splits
from audionas.audio.manifest import Clip, Manifest
from audionas.errors import ManifestError


def corpus(rows: list[tuple[str, str, str, str]]) -> Manifest:
    """Clips of (label, group, fold, split)."""
    clips = [Clip(f"{n}.wav", label, group, fold, split) for n, (label, group, fold, split) in enumerate(rows)]
    return Manifest(Path("/corpus"), (), ()).with_clips(clips)


def random_corpus(n_groups: int, n_labels: int, seed: int) -> Manifest:
    rng = np.random.default_rng(seed)
    rows = [(str(label), f"g{g}", "", "") for g in range(n_groups) for label in range(n_labels)
            for _ in range(rng.integers(1, 5))]  # fmt: skip
    return corpus(rows)


@settings(max_examples=30, deadline=None)
@given(st.integers(5, 12), st.integers(2, 4), st.integers(0, 1000), st.integers(2, 5))
def test_folds_never_split_a_group_and_hold_every_clip_once(
    n_groups: int, n_labels: int, seed: int, n_folds: int
) -> None:
    manifest = assign_folds(random_corpus(n_groups, n_labels, seed), n_folds, seed)
    splits = outer_splits(manifest)
    assert [split.name for split in splits] == [str(k) for k in range(1, n_folds + 1)]
    assert sorted(row for split in splits for row in split.test) == list(range(len(manifest)))
    for split in splits:
        tested = {manifest.clips[row].group for row in split.test}
        assert not tested & {manifest.clips[row].group for row in split.search}
        assert sorted(split.test + split.search) == list(range(len(manifest)))


def test_folds_are_stratified_where_groups_allow_it() -> None:
    manifest = assign_folds(corpus([("ab"[n % 2], f"g{n}", "", "") for n in range(40)]), 5)
    counts = Counter((clip.fold, clip.label) for clip in manifest.clips)
    assert set(counts.values()) == {4}
    assert len(counts) == 10


def test_the_same_seed_gives_the_same_folds_and_another_seed_others() -> None:
    manifest = random_corpus(20, 2, 0)
    assert assign_folds(manifest, 4, 1) == assign_folds(manifest, 4, 1)
    assert assign_folds(manifest, 4, 1).clips != assign_folds(manifest, 4, 2).clips


@pytest.mark.parametrize(("n_folds", "words"), [
    (1, "got 1 folds, must be 2 or more"),
    (3, r"class 'b' has 2 group\(s\), fewer than 3 folds; use --folds 2 or fewer"),
])  # fmt: skip
def test_impossible_numbers_of_folds_are_refused(n_folds: int, words: str) -> None:
    rows = [
        ("a", "1", "", ""),
        ("b", "1", "", ""),
        ("a", "2", "", ""),
        ("b", "2", "", ""),
        ("a", "3", "", ""),
    ]
    with pytest.raises(ManifestError, match=words):
        assign_folds(corpus(rows), n_folds)


def test_a_split_tests_on_test_and_searches_on_train_and_dev() -> None:
    rows = [("a", "1", "", "train"), ("b", "2", "", "dev"), ("a", "3", "", "test"), ("b", "4", "", "train")]
    (split,) = outer_splits(corpus(rows))
    assert (split.name, split.test, split.search, split.dev) == ("test", (2,), (0, 1, 3), (1,))


@pytest.mark.parametrize(("rows", "words"), [
    ([("a", "1", "1", ""), ("a", "1", "2", "")], "group '1' is in fold '1' and in fold '2'"),
    ([("a", "1", "", "train"), ("a", "1", "", "test")], "group '1' is in split 'train' and in split 'test'"),
    ([("a", "1", "1", ""), ("a", "2", "", "")], r"clip 1\.wav has no fold"),
    ([("a", "1", "1", ""), ("a", "2", "1", "")], r"one fold only \(1\)"),
    ([("a", "1", "", "train"), ("a", "2", "", "dev")], "neither folds nor a train and a test split"),
    ([("a", "1", "", "")], "neither folds nor a train and a test split"),
])  # fmt: skip
def test_folds_that_leak_or_do_not_divide_are_refused(rows: list[tuple[str, str, str, str]], words: str) -> None:
    with pytest.raises(ManifestError, match=words) as error:
        outer_splits(corpus(rows))
    assert "\n" not in str(error.value)


def test_folds_are_ordered_as_numbers_and_found_by_name() -> None:
    manifest = corpus([("a", str(n), str(n), "") for n in (10, 9, 2, 1)])
    assert [split.name for split in outer_splits(manifest)] == ["1", "2", "9", "10"]
    assert find_split(manifest, "9").test == (1,)
    with pytest.raises(ManifestError, match=r"unknown fold '11' \(did you mean '1'|unknown fold '11'"):
        find_split(manifest, "11")


def test_parts_have_the_shares_asked_for_and_whole_groups() -> None:
    manifest = corpus([("ab"[n % 2], f"g{n // 2}", "", "") for n in range(80)])
    parts = divide_groups(manifest, range(80), {"weights": 0.5, "alphas": 0.3, "monitor": 0.2, "none": 0.0}, 0, "t")
    assert {name: len(rows) for name, rows in parts.items()} == {"weights": 40, "alphas": 24, "monitor": 16}
    groups = [{manifest.clips[row].group for row in rows} for rows in parts.values()]
    assert len(set.union(*groups)) == sum(map(len, groups)) == 40


def test_fewer_groups_than_parts_are_refused() -> None:
    with pytest.raises(ManifestError, match=r"1 group\(s\) cannot be divided into weights and alphas"):
        divide_groups(corpus([("a", "1", "", "")]), [0], {"weights": 0.5, "alphas": 0.5}, 0, "t")


def test_classes_that_a_part_lacks_are_named() -> None:
    manifest = corpus([("a", "1", "", ""), ("b", "2", "", ""), ("c", "3", "", "")])
    assert missing_classes(manifest, [0, 2]) == ["b"]
