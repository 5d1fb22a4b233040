"""Protocols: which groups test, which select, which train; and that no group is on two sides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from audionas.audio.folds import PROTOCOLS, find_split, outer_splits
from audionas.audio.manifest import Clip, Manifest
from audionas.errors import ManifestError


def corpus(rows: list[tuple[str, str, str, str]], protocol: str = "folds") -> Manifest:
    """Clips of (label, group, fold, split)."""
    clips = [Clip(f"{n}.wav", label, group, fold, split) for n, (label, group, fold, split) in enumerate(rows)]
    return Manifest(Path("/corpus"), (), (), protocol=protocol).with_clips(clips)


def pairs(protocol: str, genders: str = "fm", n_folds: int = 3) -> Manifest:
    """Two speakers a fold, two clips each, of the genders given."""
    clips = [
        Clip(f"{fold}{speaker}{label}.wav", label, f"{fold}{speaker}", str(fold), extra=(("gender", gender),))
        for fold in range(1, n_folds + 1)
        for speaker, gender in zip("ab", genders, strict=True)
        for label in ("calm", "tense")
    ]
    return Manifest(Path("/corpus"), (), (), protocol=protocol).with_clips(clips)


def table(manifest: Manifest) -> list[tuple[str, str, str, str]]:
    """Name, and the groups that test, that select and that train."""

    def groups(rows: set[int]) -> str:
        return " ".join(sorted({manifest.clips[row].group for row in rows}))

    return [
        (split.name, groups({*split.test}), groups({*split.dev}), groups({*split.search} - {*split.dev}))
        for split in outer_splits(manifest)
    ]


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


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_under_every_protocol_a_split_holds_each_clip_once_and_each_group_on_one_side(protocol: str) -> None:
    manifest = pairs(protocol)
    splits = outer_splits(manifest)
    assert splits
    for split in splits:
        assert sorted(split.test + split.search) == list(range(len(manifest)))
        assert set(split.dev) < set(split.search)
        parts = [split.test, split.dev, tuple(set(split.search) - set(split.dev))]
        groups = [{manifest.clips[row].group for row in part} for part in parts]
        assert sum(map(len, groups)) == len(set.union(*groups)) == 6


def test_speaker_pairs_test_each_speaker_and_select_on_the_other() -> None:
    assert table(pairs("speaker_pairs")) == [
        ("1F", "1a", "1b", "2a 2b 3a 3b"), ("1M", "1b", "1a", "2a 2b 3a 3b"),
        ("2F", "2a", "2b", "1a 1b 3a 3b"), ("2M", "2b", "2a", "1a 1b 3a 3b"),
        ("3F", "3a", "3b", "1a 1b 2a 2b"), ("3M", "3b", "3a", "1a 1b 2a 2b"),
    ]  # fmt: skip
    assert [line[:3] for line in table(pairs("speaker_pairs:F"))] == [
        ("1F", "1a", "1b"), ("2F", "2a", "2b"), ("3F", "3a", "3b"),
    ]  # fmt: skip
    assert [line[:3] for line in table(pairs("speaker_pairs:M", genders="mf"))] == [
        ("1M", "1a", "1b"), ("2M", "2a", "2b"), ("3M", "3a", "3b"),
    ]  # fmt: skip
    assert [line[0] for line in table(pairs("speaker_pairs", genders="mf"))] == ["1F", "1M", "2F", "2M", "3F", "3M"]


@pytest.mark.parametrize("genders", ["ff", "mm", "x?"])
def test_without_two_genders_pairs_are_named_by_their_speakers(genders: str) -> None:
    assert [line[:3] for line in table(pairs("speaker_pairs", genders, n_folds=2))] == [
        ("1:1a", "1a", "1b"), ("1:1b", "1b", "1a"), ("2:2a", "2a", "2b"), ("2:2b", "2b", "2a"),
    ]  # fmt: skip
    with pytest.raises(ManifestError, match=r"'speaker_pairs:F' needs a column 'gender' .* fold '1' has none such"):
        outer_splits(pairs("speaker_pairs:F", genders))


def test_leave_one_group_out_tests_each_group_whatever_its_fold() -> None:
    expected = [("1a", "1a", "", "1b 2a 2b"), ("1b", "1b", "", "1a 2a 2b"), ("2a", "2a", "", "1a 1b 2b"),
                ("2b", "2b", "", "1a 1b 2a")]  # fmt: skip
    manifest = pairs("leave_one_group_out", n_folds=2)
    assert table(manifest) == expected
    without_folds = manifest.with_clips(replace(clip, fold="") for clip in manifest.clips)
    assert table(without_folds) == expected


def test_folds_with_dev_select_on_the_next_fold_in_natural_order() -> None:
    rows = [(label, f"s{fold}", fold, "") for fold in ("10", "9", "2") for label in "ab"]
    assert table(corpus(rows, "folds_with_dev")) == [
        ("2", "s2", "s9", "s10"), ("9", "s9", "s10", "s2"), ("10", "s10", "s2", "s9"),
    ]  # fmt: skip


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_clip_of_a_speaker_planted_in_another_fold_is_refused(protocol: str) -> None:
    manifest = pairs(protocol)
    planted = Clip("planted.wav", "calm", "3a", "2", extra=(("gender", "f"),))
    with pytest.raises(ManifestError, match=r"group '3a' is in fold '[23]' and in fold '[23]'"):
        outer_splits(manifest.with_clips([*manifest.clips, planted]))


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        (pairs("speaker_pair"), r"unknown protocol 'speaker_pair' \(did you mean 'speaker_pairs'\?\); known: folds, "),
        (
            corpus([("a", "1", "1", ""), ("b", "2", "1", ""), ("a", "3", "2", "")], "speaker_pairs"),
            r"needs exactly two groups \(speakers\) in each fold, fold '2' has 1 \(3\); use --protocol folds or leave_",
        ),
        (
            corpus([("a", g, "1", "") for g in "123"] + [("a", "4", "2", "")], "speaker_pairs"),
            r"fold '1' has 3 \(1, 2, 3\)",
        ),
        (
            pairs("folds_with_dev", n_folds=2),
            r"needs three folds \(test, dev, train\), there are 2; use --protocol folds",
        ),
        (
            corpus([("a", "1", "", "train"), ("a", "2", "", "test")], "speaker_pairs"),
            "protocol 'speaker_pairs' needs folds, and no clip has one; prepare with --folds 5",
        ),
        (replace(pairs("speaker_pairs"), group_source="each file"), "protocol 'speaker_pairs' needs speakers or recor"),
        (
            replace(pairs("leave_one_group_out"), group_source="each file"),
            "needs speakers or recordings, and each file is its own group here; name them with --group",
        ),
        (corpus([("a", "1", "", "")], "leave_one_group_out"), r"one group only \('1'\); at least two are needed"),
    ],
)
def test_a_corpus_that_a_protocol_does_not_fit_is_one_line(manifest: Manifest, words: str) -> None:
    with pytest.raises(ManifestError, match=words) as error:
        outer_splits(manifest)
    assert "\n" not in str(error.value)
