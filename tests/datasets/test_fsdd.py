"""FSDD: digit, speaker and the data set's own split from the file name."""

from __future__ import annotations

from pathlib import Path

import pytest

from audionas.datasets import Columns
from audionas.datasets.fsdd import read
from audionas.errors import ManifestError


def test_the_first_five_of_a_digit_and_speaker_are_the_official_test_part(tmp_path: Path, write_tone) -> None:
    for index in (0, 4, 5, 49):
        write_tone(tmp_path / f"3_theo_{index}.wav")
    splits = {clip.path: clip.split for clip in read(tmp_path, Columns()).clips}
    assert splits == {
        "3_theo_0.wav": "test",
        "3_theo_4.wav": "test",
        "3_theo_5.wav": "train",
        "3_theo_49.wav": "train",
    }


def test_another_name_is_refused(tmp_path: Path, write_tone) -> None:
    write_tone(tmp_path / "12_theo_1.wav")
    with pytest.raises(ManifestError, match=r"12_theo_1\.wav: not an FSDD name"):
        read(tmp_path, Columns())
