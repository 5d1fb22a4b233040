"""Folds of several labels a clip and of numbers: groups stay whole, labels and values are spread."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from audionas.audio.folds import assign_folds, missing_classes
from audionas.audio.manifest import Clip, Manifest
from audionas.errors import ManifestError


def tagged(n_groups: int = 12) -> Manifest:
    """A rare label (two groups), a common one (every other group) and clips without any; 4 clips a group."""
    clips = []
    for group in range(n_groups):
        tags = ";".join(name for name, holds in (("common", group % 2), ("rare", group < 2)) if holds)
        clips += [Clip(f"{group}_{take}.wav", tags, f"g{group}") for take in range(4)]
    return Manifest(Path("/toy"), (), (), task="multilabel").with_clips(clips)


def rated(n_groups: int = 12) -> Manifest:
    """Groups that differ in level, 4 clips each."""
    rng = np.random.default_rng(0)
    clips = [
        Clip(f"{group}_{take}.wav", f"{group + rng.normal():.3f}", f"g{group}")
        for group in range(n_groups)
        for take in range(4)
    ]
    return Manifest(Path("/toy"), tuple(clips), ("level",), task="regression")


@pytest.mark.parametrize("manifest", [tagged(), rated()], ids=["multilabel", "regression"])
def test_folds_never_split_a_group_and_are_of_one_size(manifest: Manifest) -> None:
    folded = assign_folds(manifest, 3)
    folds = {clip.group: {other.fold for other in folded.clips if other.group == clip.group} for clip in folded.clips}
    assert all(len(names) == 1 for names in folds.values())
    assert sorted(sum(clip.fold == name for clip in folded.clips) for name in "123") == [16, 16, 16]


def test_each_label_is_spread_over_the_folds() -> None:
    folded = assign_folds(tagged(), 2)
    for label in ("common", "rare"):
        counts = [sum(clip.fold == name and label in clip.label for clip in folded.clips) for name in "12"]
        assert counts[0] == counts[1]


def test_low_and_high_values_are_in_every_fold() -> None:
    folded = assign_folds(rated(), 3)
    values = folded.targets[:, 0]
    for name in "123":
        own = values[[clip.fold == name for clip in folded.clips]]
        assert own.min() < np.quantile(values, 0.3)
        assert own.max() > np.quantile(values, 0.7)


def test_a_label_of_few_groups_is_no_reason_to_refuse_but_too_few_groups_are() -> None:
    assert {clip.fold for clip in assign_folds(tagged(), 4).clips} == set("1234")
    with pytest.raises(ManifestError, match=r"^/toy: 12 group\(s\), fewer than 13 folds; ask for fewer folds$"):
        assign_folds(tagged(), 13)


def test_a_part_names_the_labels_that_it_lacks() -> None:
    assert missing_classes(tagged(), range(8, 16)) == ["rare"]
    assert missing_classes(tagged(), range(16, 20)) == ["common", "rare"]
    assert missing_classes(rated(), range(4)) == []
