"""The files below a root: sorted, of known kinds, none hidden, none outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from audionas.datasets.files import audio_files, check_inside
from audionas.errors import ManifestError


def test_files_are_sorted_and_others_left_out(tmp_path: Path) -> None:
    for name in [
        "b.wav",
        "a/z.FLAC",
        "a/b.mp3",
        "a/note.txt",
        ".x.wav",
        "._a.wav",
        "__MACOSX/c.wav",
        "c.ogg",
    ]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert audio_files(tmp_path) == ["a/b.mp3", "a/z.FLAC", "b.wav", "c.ogg"]


def test_a_linked_folder_or_file_outside_the_root_is_refused(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "link").symlink_to(outside, target_is_directory=True)
    with pytest.raises(ManifestError, match="link: leads out of the corpus folder"):
        audio_files(root)


def test_a_link_within_the_root_is_fine(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    (tmp_path / "b.wav").symlink_to(tmp_path / "a.wav")
    assert audio_files(tmp_path) == ["a.wav", "b.wav"]


def test_a_missing_folder_and_a_link_to_itself_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="no such folder"):
        audio_files(tmp_path / "no")
    (tmp_path / "loop.wav").symlink_to(tmp_path / "loop.wav")
    with pytest.raises(ManifestError, match=r"cannot be followed|leads out"):
        check_inside(tmp_path, tmp_path / "loop.wav")
