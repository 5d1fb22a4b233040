"""Label, group and folds by a column that a corpus happens to have."""

from __future__ import annotations

from pathlib import Path

import pytest

from audionas.audio.manifest import Clip, Manifest
from audionas.datasets.columns import Columns, apply_columns
from audionas.errors import ManifestError

CLIP = Clip("a.wav", "joy", group="s1", fold="1", extra=(("gender", "f"), ("text", "")))
MANIFEST = Manifest(Path("root"), (CLIP,), ("joy",), group_source="own", fold_source="own")


def test_without_names_nothing_changes() -> None:
    assert apply_columns(MANIFEST, Columns()) is MANIFEST


def test_named_columns_take_the_place_of_the_corpus_s_own() -> None:
    changed = apply_columns(MANIFEST, Columns(label="gender", group="label", folds="group"))
    clip = changed.clips[0]
    assert (clip.label, clip.group, clip.fold) == ("f", "joy", "s1")
    assert (changed.labels, changed.group_source, changed.fold_source) == (
        ("f",), "column 'label'", "column 'group'",
    )  # fmt: skip


def test_a_column_without_a_value_is_refused() -> None:
    with pytest.raises(ManifestError, match=r"clip a\.wav has no value in column 'text'"):
        apply_columns(MANIFEST, Columns(group="text"))
