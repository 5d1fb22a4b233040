"""Audio read without its labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from audionas import sample
from audionas.errors import ManifestError
from audionas.experiment.prepare import PrepareOptions, prepare
from audionas.experiment.unlabelled import prepare_unlabelled, read_unlabelled
from tests.conftest import WriteTone


def test_a_folder_of_recordings_needs_no_labels(tmp_path: Path, write_tone: WriteTone) -> None:
    for name in ("a.wav", "deep/er/b.wav", "deep/c.wav"):
        write_tone(tmp_path / "audio" / name)
    found = prepare_unlabelled(tmp_path / "audio").manifest
    assert [clip.path for clip in found.clips] == ["a.wav", "deep/c.wav", "deep/er/b.wav"]
    assert [clip.group for clip in found.clips] == [clip.path for clip in found.clips]
    assert not found.speaker_independence_checked
    assert all(clip.sha256 for clip in found.clips)
    assert [clip.duration_s for clip in found.clips] == [0.25] * 3


def test_a_known_corpus_keeps_its_speakers_and_loses_its_labels_and_folds() -> None:
    found = prepare_unlabelled(sample.folder()).manifest
    own = prepare(sample.folder()).manifest
    assert [clip.group for clip in found.clips] == [clip.group for clip in own.clips]
    assert found.speaker_independence_checked
    assert {(clip.label, clip.fold, clip.split) for clip in found.clips} == {("", "", "")}
    assert found.labels == ()


def test_a_prepared_folder_loses_them_too(tmp_path: Path) -> None:
    prepared = prepare(sample.folder(), tmp_path / "prepared")
    found = prepare_unlabelled(tmp_path / "prepared")
    assert found.folder == prepared.folder
    assert {(clip.label, clip.fold, clip.split) for clip in found.manifest.clips} == {("", "", "")}
    assert [clip.sha256 for clip in found.manifest.clips] == [clip.sha256 for clip in prepared.manifest.clips]


def test_a_table_needs_no_label_column_and_one_class_is_enough(tmp_path: Path, write_tone: WriteTone) -> None:
    for name in ("a", "b"):
        write_tone(tmp_path / f"{name}.wav")
    (tmp_path / "manifest.csv").write_text("path,speaker\na.wav,s1\nb.wav,s2\n")
    assert [clip.group for clip in read_unlabelled(tmp_path).clips] == ["s1", "s2"]
    (tmp_path / "manifest.csv").write_text("path,speaker,label\na.wav,s1,x\nb.wav,s2,x\n")
    assert {clip.label for clip in read_unlabelled(tmp_path).clips} == {""}


def test_damage_is_counted_where_it_is_to_be_skipped(tmp_path: Path, write_tone: WriteTone) -> None:
    write_tone(tmp_path / "audio" / "a.wav")
    (tmp_path / "audio" / "b.wav").write_bytes(b"RIFF")
    found = prepare_unlabelled(tmp_path / "audio", skip_bad=True).manifest
    assert [clip.path for clip in found.clips] == ["a.wav"]
    assert found.notes[0] == "1 unreadable clip(s) skipped"


def test_what_is_no_audio_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="no such file or folder"):
        prepare_unlabelled(tmp_path / "no")
    with pytest.raises(ManifestError, match="no audio files in it"):
        prepare_unlabelled(tmp_path)
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(ManifestError, match="is a run folder; name the audio that it was made from"):
        prepare_unlabelled(tmp_path)


def test_preparing_again_takes_what_is_there(tmp_path: Path, write_tone: WriteTone) -> None:
    write_tone(tmp_path / "audio" / "a.wav")
    first = prepare_unlabelled(tmp_path / "audio")
    assert prepare_unlabelled(tmp_path / "audio").manifest.sha256 == first.manifest.sha256
    with pytest.raises(ManifestError, match="is prepared already"):
        prepare(first.folder, None, PrepareOptions(folds="2"))
