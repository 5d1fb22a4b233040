"""Folds and parts: whole groups only, every class spread, the same for the same seed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audionas.audio.folds import assign_folds, divide_groups, missing_classes, outer_splits
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


def test_groups_of_different_sizes_are_divided_anew_only_with_jitter() -> None:
    clips = [Clip(f"{group}_{i}.wav", "ab"[i % 2], f"g{group}") for group in range(8) for i in range(2 * (group + 2))]
    manifest = Manifest(Path("/c"), tuple(clips), ("a", "b"))
    rows, shares = range(len(clips)), {"train": 0.75, "validation": 0.25}
    plain = {divide_groups(manifest, rows, shares, seed, "x")["validation"] for seed in range(20)}
    drawn = [divide_groups(manifest, rows, shares, seed, "x", jitter=True)["validation"] for seed in range(20)]
    assert len(plain) == 1, "no two groups are of one size: the seed changes nothing"
    assert len(set(drawn)) > 3
    assert all(0.1 < len(part) / len(clips) < 0.4 for part in drawn), "the shares still hold"
    assert drawn[3] == divide_groups(manifest, rows, shares, 3, "x", jitter=True)["validation"]
