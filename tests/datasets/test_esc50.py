"""ESC-50 and ESC-10: the official table decides."""

from __future__ import annotations

from pathlib import Path

import pytest

from audionas.datasets import Columns
from audionas.datasets.esc50 import read, read_esc10
from audionas.errors import ManifestError

HEADER = "filename,fold,target,category,esc10,src_file,take"
ROWS = ["1-100032-A-0.wav,1,0,dog,True,100032,A", "5-9032-A-0.wav,5,0,dog,False,9032,A"]


def write(root: Path, *lines: str) -> None:
    (root / "meta").mkdir()
    (root / "meta" / "esc50.csv").write_text("\n".join(lines) + "\n")


def test_fold_and_source_recording_are_the_official_ones(tmp_path: Path) -> None:
    write(tmp_path, HEADER, *ROWS)
    assert [(clip.fold, clip.group) for clip in read(tmp_path, Columns()).clips] == [
        ("1", "100032"),
        ("5", "9032"),
    ]
    assert [clip.path for clip in read_esc10(tmp_path, Columns()).clips] == ["audio/1-100032-A-0.wav"]


def test_a_table_without_a_column_or_no_table_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"esc50\.csv: no such file"):
        read(tmp_path, Columns())
    write(tmp_path, HEADER.replace("src_file", "source_file"), *ROWS)
    with pytest.raises(ManifestError, match=r"unknown column 'src_file' \(did you mean 'source_file'\?\)"):
        read(tmp_path, Columns())


def test_a_file_name_cannot_leave_the_root(tmp_path: Path) -> None:
    write(tmp_path, HEADER, "../../x.wav,1,0,dog,True,100032,A")
    with pytest.raises(ManifestError, match="leads out of the corpus folder"):
        read(tmp_path, Columns())
