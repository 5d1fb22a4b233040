"""A manifest with several labels a clip, or numbers: written, read again, and refused when it was changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from audionas.audio.clip_checks import check_clips
from audionas.audio.manifest import Clip, Manifest
from audionas.errors import ManifestError

CLIPS = (Clip("a.wav", "dog;rain", "s1"), Clip("b.wav", "", "s2"), Clip("c.wav", "rain", "s3"))
TAGGED = Manifest(Path("/toy"), (), (), task="multilabel").with_clips(CLIPS)
NUMBERS = (Clip("a.wav", "1.5;2", "s1"), Clip("b.wav", "3.4;2.5", "s2"))
RATED = Manifest(Path("/toy"), NUMBERS, ("valence", "arousal"), task="regression")


@pytest.mark.parametrize("manifest", [TAGGED, RATED], ids=["multilabel", "regression"])
def test_what_is_written_is_read_again(manifest: Manifest, tmp_path: Path) -> None:
    manifest.write(tmp_path)
    found = Manifest.read(tmp_path)
    assert (found.task, found.labels, found.sha256) == (manifest.task, manifest.labels, manifest.sha256)
    assert found.targets.tolist() == manifest.targets.tolist()


def test_the_same_texts_under_another_task_or_target_are_another_corpus() -> None:
    others = [replace(RATED, task="multilabel"), replace(RATED, labels=("arousal", "valence")), RATED]
    assert len({manifest.sha256 for manifest in others}) == 3


def test_a_clip_may_have_no_label_where_it_may_have_several_only() -> None:
    check_clips(TAGGED)
    with pytest.raises(ManifestError, match=r"clip b.wav has an empty label; fill it in or drop the row"):
        check_clips(replace(TAGGED, task="classification"))


@pytest.mark.parametrize(
    ("manifest", "old", "new", "match"),
    [
        (TAGGED, "dog;rain", "cat;rain", r"manifest.csv: label 'cat' is not one of manifest.json's"),
        (RATED, "1.5;2", "1.5", r"manifest.csv: clip a.wav has 1 value\(s\), manifest.json 2"),
        (RATED, "1.5;2", "1.5;loud", r"manifest.csv: damaged: clip a.wav: could not .*; prepare the data again"),
    ],
)
def test_a_changed_table_is_refused(manifest: Manifest, old: str, new: str, match: str, tmp_path: Path) -> None:
    manifest.write(tmp_path)
    table = tmp_path / "manifest.csv"
    table.write_text(table.read_text().replace(old, new))
    with pytest.raises(ManifestError, match=match):
        Manifest.read(tmp_path)
