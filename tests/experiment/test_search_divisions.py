"""Inner folds of a search and the redrawn division of its re-test: whole groups, own statistics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audionas.audio.folds import OuterSplit, find_split, outer_splits
from audionas.audio.manifest import Clip, Manifest
from audionas.errors import ManifestError
from audionas.experiment.search_divisions import (
    inner_fold_parts,
    redrawn_parts,
    search_evaluator,
    trained_rows,
    training_parts,
    untrained_classes,
)
from audionas.experiment.search_plan import divide_search_clips
from audionas.search import Strategy, load_strategy
from audionas.training.batches import ClipTensors, Normaliser

RANDOM = load_strategy("random")


def corpus(sizes: tuple[int, ...] = (4, 6, 8, 10, 12, 14, 16, 18, 20, 22), protocol: str = "folds") -> Manifest:
    """Ten speakers, two in each of five folds, no two of one size, of two classes."""
    clips = [
        Clip(f"s{speaker}_{i}.wav", "ab"[i % 2], f"s{speaker}", f"{speaker // 2 + 1}", extra=(("gender", sex),))
        for speaker, (size, sex) in enumerate(zip(sizes, "fmfmfmfmfm", strict=True))
        for i in range(size)
    ]
    return Manifest(Path("/corpus"), (), (), protocol=protocol).with_clips(clips)


def groups(manifest: Manifest, rows: tuple[int, ...]) -> set[str]:
    return {manifest.clips[row].group for row in rows}


def first_split(manifest: Manifest) -> OuterSplit:
    return outer_splits(manifest)[0]


@pytest.mark.parametrize("n_folds", [2, 3, 8])
def test_inner_folds_are_whole_groups_of_the_search_clips_and_hold_each_once(n_folds: int) -> None:
    manifest = corpus()
    for split in outer_splits(manifest):
        strategy = RANDOM.with_evaluation(inner_folds=n_folds, retest=None)
        parts = divide_search_clips(manifest, split, strategy, 0)
        assert list(parts) == [f"inner_{k}" for k in range(1, n_folds + 1)]
        assert sorted(row for rows in parts.values() for row in rows) == sorted(split.search)
        assert sum(len(groups(manifest, rows)) for rows in parts.values()) == 8
        assert not {row for rows in parts.values() for row in rows} & set(split.test)


def test_each_training_leaves_out_the_groups_that_it_is_scored_on() -> None:
    manifest = corpus()
    folds = inner_fold_parts(manifest, first_split(manifest), 4, 0)
    for parts in training_parts(folds):
        assert not groups(manifest, parts["train"]) & groups(manifest, parts["validation"])
        assert len(parts["train"]) + len(parts["validation"]) == len(first_split(manifest).search)
    assert [parts["validation"] for parts in training_parts(folds)] == list(folds.values())


def test_more_inner_folds_than_groups_are_refused() -> None:
    manifest = corpus()
    with pytest.raises(
        ManifestError,
        match=r"--inner-folds 9: fold 1 leaves 8 group\(s\) to the search; use 2 to 8 inner folds, or 0 for none, or",
    ):
        inner_fold_parts(manifest, first_split(manifest), 9, 0)
    one = OuterSplit("1", search=(0, 1, 2, 3), test=tuple(range(4, 10)))
    with pytest.raises(ManifestError, match=r"leaves 1 group\(s\) to the search; use other folds, or 0 for none"):
        inner_fold_parts(manifest, one, 2, 0)


def test_inner_folds_beside_a_dev_part_are_refused() -> None:
    manifest = corpus(protocol="speaker_pairs")
    with pytest.raises(
        ManifestError,
        match=r"--inner-folds 3: fold 1F has a dev part, which alone validates \(protocol 'speaker_pairs'\); use",
    ):
        inner_fold_parts(manifest, find_split(manifest, "1F"), 3, 0)


@pytest.mark.parametrize("inner_folds", [0, 2, 4])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_re_test_has_another_division_of_the_same_clips_though_no_two_groups_are_of_one_size(
    inner_folds: int, seed: int
) -> None:
    manifest = corpus()
    split, strategy = first_split(manifest), RANDOM.with_evaluation(inner_folds=inner_folds, retest=None)
    first = divide_search_clips(manifest, split, strategy, seed)
    again = redrawn_parts(manifest, split, strategy, seed, first)
    assert list(again.parts) == list(first)
    assert set(again.parts.values()) != set(first.values())
    assert sorted(row for rows in again.parts.values() for row in rows) == sorted(split.search)
    assert sum(len(groups(manifest, rows)) for rows in again.parts.values()) == 8
    assert again.how == f"new seeds, {'inner folds' if inner_folds else 'train and validation part'} redrawn"
    assert redrawn_parts(manifest, split, strategy, seed, first) == again
    if not inner_folds:
        assert again.parts["validation"] != first["validation"]
        assert 0.1 < len(again.parts["validation"]) / len(split.search) < 0.4


def test_a_dev_part_still_validates_in_the_re_test_and_the_run_says_so() -> None:
    manifest = corpus(protocol="speaker_pairs")
    split = find_split(manifest, "2F")
    first = divide_search_clips(manifest, split, RANDOM, 0)
    again = redrawn_parts(manifest, split, RANDOM, 0, first)
    assert again.parts == first
    assert groups(manifest, tuple(again.parts["validation"])) == {"s3"}
    assert again.how == "new seeds, the same division: the dev part validates"


def test_where_each_inner_fold_is_one_group_there_is_no_other_division() -> None:
    manifest = corpus()
    strategy = RANDOM.with_evaluation(inner_folds=8, retest=None)
    first = divide_search_clips(manifest, first_split(manifest), strategy, 0)
    again = redrawn_parts(manifest, first_split(manifest), strategy, 0, first)
    assert (again.parts, again.how) == (first, "new seeds, the same division: the groups allow no other")


def test_a_class_that_only_one_inner_fold_has_is_named() -> None:
    manifest = corpus()
    rare = [
        Clip(clip.path, "rare" if clip.group == "s9" and i % 2 else clip.label, clip.group, clip.fold)
        for i, clip in enumerate(manifest.clips)
    ]
    manifest = Manifest(Path("/corpus"), (), ()).with_clips(rare)
    folds = inner_fold_parts(manifest, first_split(manifest), 2, 0)
    assert untrained_classes(manifest, folds) == ["rare"]
    assert untrained_classes(corpus(), inner_fold_parts(corpus(), first_split(corpus()), 2, 0)) == []


class Marked:
    """Stands for a corpus whose features are the row numbers, so that a mean tells which rows are in it."""

    input_shape = (1, 2, 3)

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.asked: list[list[int]] = []
        self.copied: list[list[int]] = []

    def tensors(self, rows: list[int], copied_rows: list[int]) -> tuple[ClipTensors, Normaliser]:
        self.asked.append(list(rows))
        self.copied.append(list(copied_rows))
        features = [np.full((1, 2, 3), float(row), np.float32) for row in range(len(self.manifest))]
        normaliser = Normaliser.fit(features, rows, "per_feature")
        return ClipTensors(features, self.manifest.targets, normaliser, 3, "centre"), normaliser


def fitted(strategy: Strategy, manifest: Manifest) -> tuple[Any, Marked]:
    marked = Marked(manifest)
    parts = divide_search_clips(manifest, first_split(manifest), strategy, 0)
    filled = strategy.replace(recipe={})
    return search_evaluator(marked, parts, filled, {"device": "cpu"}), marked  # type: ignore[arg-type]


def test_each_inner_fold_is_normalised_with_its_own_training_rows_only() -> None:
    manifest = corpus()
    evaluator, marked = fitted(RANDOM.with_evaluation(inner_folds=4, retest=None), manifest)
    assert len(evaluator.folds) == len(marked.asked) == 4
    for fold, asked, copied in zip(evaluator.folds, marked.asked, marked.copied, strict=True):
        assert asked == sorted(copied) == sorted(fold.parts["train"])
        x, _ = fold.tensors.at([asked[0]], [0])
        assert float(x[0, 0, 0, 0]) == pytest.approx((asked[0] - np.mean(asked)) / np.std(asked), rel=1e-5)
        assert not set(asked) & set(first_split(manifest).test)


def test_without_inner_folds_there_is_one_training_without_the_validation_part() -> None:
    evaluator, marked = fitted(RANDOM, corpus())
    assert evaluator.folds == ()
    assert marked.asked == [sorted(evaluator.data.parts["train"])]


def test_copies_are_of_the_clips_that_train_weights_and_of_no_others() -> None:
    one_shot = {"weights": (1, 2), "alphas": (3,), "monitor": (4,)}
    assert trained_rows(one_shot) == [1, 2]
    assert trained_rows({"train": (5, 1), "validation": (2,), "unused": (7,)}) == [1, 5]
    assert trained_rows({"train": (1, 2), "validation": (3,)}, {"train": (2, 3), "validation": (1,)}) == [1, 2, 3]
    assert trained_rows({"inner_1": (1, 2), "inner_2": (4,)}) == [1, 2, 4], "each trains where it is not held out"
    _, marked = fitted(load_strategy("darts_small_data"), corpus())
    parts = divide_search_clips(corpus(), first_split(corpus()), load_strategy("darts_small_data"), 0)
    assert marked.copied == [list(parts["weights"])]
    assert set(marked.asked[0]) > set(marked.copied[0]), "the alphas part is in the statistics, and has no copies"
