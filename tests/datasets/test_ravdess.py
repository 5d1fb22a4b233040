"""RAVDESS: names taken apart, both channels, every way in which the archives are unpacked."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from audionas.datasets import Columns, recognise
from audionas.datasets.ravdess import read, read_all, read_song
from audionas.errors import ManifestError
from tests.datasets.ravdess_fixture import SONG, SPEECH, lay_out, names, write_stub


def test_the_whole_release_is_taken_without_a_note(tmp_path: Path) -> None:
    lay_out(tmp_path, SPEECH)
    lay_out(tmp_path, SONG)
    manifest = read_all(tmp_path, Columns())
    assert (len(manifest), len({clip.group for clip in manifest.clips}), manifest.notes) == (2452, 24, ())
    speech, song = read(tmp_path, Columns()), read_song(tmp_path, Columns())
    assert (len(speech), len(song)) == (1440, 1012)
    assert "1,012 file(s) that are not speech are left out; --dataset ravdess_all takes them" in speech.notes
    assert "18" not in {clip.group for clip in song.clips}
    assert Counter(clip.label for clip in speech.clips) == {
        "neutral": 96, "calm": 192, "happiness": 192, "sadness": 192, "anger": 192, "fear": 192, "disgust": 192,
        "surprise": 192,
    }  # fmt: skip


def test_every_part_of_a_name_is_kept(tmp_path: Path) -> None:
    write_stub(tmp_path / "03-01-06-01-02-01-12.wav")  # the example of the release: fearful, dogs, actor 12, a woman
    write_stub(tmp_path / "03-02-05-02-01-02-07.wav")
    fearful, angry = read_all(tmp_path, Columns()).clips
    assert (fearful.label, fearful.group) == ("fear", "12")
    assert dict(fearful.extra) == {
        "actor": "12", "channel": "speech", "gender": "f", "intensity": "normal", "repetition": "1",
        "statement": "dogs",
    }  # fmt: skip
    assert (angry.label, angry.group) == ("anger", "07")
    assert dict(angry.extra) == {
        "actor": "07", "channel": "song", "gender": "m", "intensity": "strong", "repetition": "2", "statement": "kids",
    }  # fmt: skip


def test_twelve_actors_are_women(tmp_path: Path) -> None:
    for name in names(SPEECH)[::60]:  # one of each actor
        write_stub(tmp_path / f"{name}.wav")
    genders = {clip.group: dict(clip.extra)["gender"] for clip in read(tmp_path, Columns()).clips}
    assert Counter(genders.values()) == {"f": 12, "m": 12}
    assert genders["01"] == "m"


@pytest.mark.parametrize("folder", ["", "Audio_Speech_Actors_01-24", "archive/audio_speech_actors_01-24"])
def test_any_folder_above_the_actors_will_do(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    lay_out(tmp_path / folder, SPEECH, [1, 2])
    assert recognise(tmp_path) == "ravdess"
    assert len(read(tmp_path, Columns())) == 120


def test_all_files_in_one_folder_are_recognised(tmp_path: Path) -> None:
    for name in names(SPEECH, [3, 4]):
        write_stub(tmp_path / f"{name}.wav")
    assert recognise(tmp_path) == "ravdess"
    assert {clip.group for clip in read(tmp_path, Columns()).clips} == {"03", "04"}


def test_the_two_copies_of_the_kaggle_archive_count_once(tmp_path: Path) -> None:
    lay_out(tmp_path, SPEECH, [1, 2])
    (tmp_path / "audio_speech_actors_01-24").mkdir()
    lay_out(tmp_path / "audio_speech_actors_01-24", SPEECH, [1, 2])
    manifest = read(tmp_path, Columns())
    assert len(manifest) == 120
    assert all(clip.path.startswith("Actor_") for clip in manifest.clips)
    assert "120 file(s) lie twice and count once: audio_speech_actors_01-24/Actor_01/" in manifest.notes[-1]


def test_a_copy_that_was_changed_is_refused(tmp_path: Path) -> None:
    lay_out(tmp_path, SPEECH, [1, 2])
    changed = tmp_path / "cut" / f"{names(SPEECH, [1])[0]}.wav"
    changed.parent.mkdir()
    changed.write_bytes(b"shorter or longer")
    with pytest.raises(ManifestError, match=r"have one name and are not the same file \(1 such pair\(s\)\); keep one"):
        read(tmp_path, Columns())


def test_a_partial_copy_is_told(tmp_path: Path) -> None:
    lay_out(tmp_path, SPEECH, [actor for actor in range(1, 25) if actor != 5])
    assert read(tmp_path, Columns()).notes == (
        "1,380 of the 1,440 clips of RAVDESS speech: a partial copy; counts differ in neutral (92 of 96), calm "
        "(184 of 192), happiness (184 of 192), sadness (184 of 192), anger (184 of 192) and 3 more; 23 of 24 actors",
    )


def test_broken_names_are_told_at_once_and_do_not_make_actors_labels(tmp_path: Path) -> None:
    lay_out(tmp_path, SPEECH, [1, 2])
    for name in (
        "03-01-09-01-01-01-01", "01-01-01-01-01-01-01", "03-03-01-01-01-01-01", "03-01-01-01-01-01", "notes",
        "03-01-01-01-01-01-02",
    ):  # fmt: skip
        (tmp_path / "Actor_01" / f"{name}.wav").write_bytes(b"x")
    (tmp_path / "Actor_02" / "03-01-01-01-01-01-02.wav").unlink()
    assert recognise(tmp_path) == "ravdess"
    with pytest.raises(ManifestError, match=r"6 file name\(s\) not of RAVDESS's audio: ") as error:
        read(tmp_path, Columns())
    text = str(error.value)
    assert "\n" not in text
    for part in (
        "(modality '01', audio alone is 03)",
        "(the folder is another actor's)",
        "(unknown emotion '09'",
        "(unknown channel '03'",
        "(seven numbers such as 03-01-05-01-02-01-12)",
        "; and 1 more; move these",
    ):
        assert part in text


def test_an_actor_above_24_is_refused(tmp_path: Path) -> None:
    write_stub(tmp_path / "03-01-01-01-01-01-25.wav")
    with pytest.raises(ManifestError, match=r"actor '25', there are 01 to 24"):
        read(tmp_path, Columns())


def test_song_alone_is_recognised_as_song_and_refused_as_speech(tmp_path: Path) -> None:
    lay_out(tmp_path, SONG, [1, 2])
    assert recognise(tmp_path) == "ravdess_song"
    with pytest.raises(ManifestError, match=r"no speech here, 88 other file\(s\); use --dataset ravdess_all"):
        read(tmp_path, Columns())
