"""Which layout a folder is taken for, and what is said of one that is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from audionas.datasets import find_reader, recognise
from audionas.errors import ManifestError, SettingsError


def test_one_file_of_another_name_makes_a_corpus_plain_folders(tmp_path: Path, write_tone) -> None:
    write_tone(tmp_path / "wav" / "03a01Fa.wav")
    assert recognise(tmp_path) == "emodb"
    write_tone(tmp_path / "wav" / "noise.wav")
    assert recognise(tmp_path) == "folder_per_label"


def test_a_table_wins_over_names(tmp_path: Path, write_tone) -> None:
    write_tone(tmp_path / "wav" / "03a01Fa.wav")
    (tmp_path / "manifest.csv").touch()
    assert recognise(tmp_path) == "csv"
    assert recognise(tmp_path / "manifest.csv") == "csv"


def test_what_was_looked_for_is_said(tmp_path: Path, write_tone) -> None:
    with pytest.raises(ManifestError, match="nowhere: no such file or folder"):
        recognise(tmp_path / "nowhere")
    with pytest.raises(ManifestError, match=r"no audio files in it \(\.wav, \.flac"):
        recognise(tmp_path)
    write_tone(tmp_path / "a.wav")
    with pytest.raises(ManifestError, match="is a file; give a folder"):
        recognise(tmp_path / "a.wav")
    with pytest.raises(ManifestError, match=r"looked for manifest\.csv, .*side by side without labels$"):
        recognise(tmp_path)
    (tmp_path / "labels.csv").touch()
    with pytest.raises(ManifestError, match=r"labels\.csv lies there: give it as DATA$") as error:
        recognise(tmp_path)
    assert "\n" not in str(error.value)


def test_an_unknown_data_set_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(SettingsError, match=r"unknown data set 'emodbb' \(did you mean 'emodb'\?\); known: crema_d, "):
        find_reader("emodbb")
