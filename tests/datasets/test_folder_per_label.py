"""Folders as labels, with and without split folders above them."""

from __future__ import annotations

from pathlib import Path

import pytest

from audionas.datasets import Columns
from audionas.datasets.folder_per_label import read
from audionas.errors import ManifestError


@pytest.mark.parametrize(
    "names", [("train", "dev", "test"), ("training", "val", "testing"), ("Train", "valid", "TEST")]
)
def test_split_folders_become_the_split(tmp_path: Path, write_tone, names: tuple[str, ...]) -> None:
    for name in names:
        write_tone(tmp_path / name / "joy" / "1.wav")
    manifest = read(tmp_path, Columns())
    assert {clip.path.split("/")[0]: clip.split for clip in manifest.clips} == dict(
        zip(names, ("train", "dev", "test"), strict=True)
    )
    assert manifest.labels == ("joy",)
    assert manifest.fold_source == "split folders"


def test_a_label_may_be_called_test(tmp_path: Path, write_tone) -> None:
    write_tone(tmp_path / "test" / "1.wav")
    write_tone(tmp_path / "noise" / "1.wav")
    manifest = read(tmp_path, Columns())
    assert [(clip.label, clip.split) for clip in manifest.clips] == [("noise", ""), ("test", "")]


@pytest.mark.parametrize(
    ("stray", "words"), [("1.wav", "every label folder"), ("train/1.wav", "every split and label")]
)
def test_a_file_outside_every_label_folder_is_refused(tmp_path: Path, write_tone, stray: str, words: str) -> None:
    splits = ("train", "test") if "/" in stray else ("a", "b")
    for name in splits:
        write_tone(tmp_path / name / "joy" / "1.wav")
    write_tone(tmp_path / stray)
    with pytest.raises(ManifestError, match=f"{stray}: lies outside {words}"):
        read(tmp_path, Columns())
