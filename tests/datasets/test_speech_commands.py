"""Speech Commands: the official lists are the split, and a speaker is on one side of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from audionas.audio.folds import outer_splits
from audionas.datasets import Columns, recognise
from audionas.datasets.speech_commands import read
from audionas.errors import ManifestError

TRAIN, DEV, TEST = "0a7c2a8d", "a69b9b3e", "bb05582b"
FILES = [
    f"{word}/{speaker}_nohash_{n}.wav" for word in ("yes", "follow") for speaker in (TRAIN, DEV, TEST) for n in (0, 1)
]


def lay_out(root: Path, files: list[str] = FILES) -> None:
    for path in files:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"RIFF")
    (root / "validation_list.txt").write_text("".join(f"{path}\n" for path in files if DEV in path))
    (root / "testing_list.txt").write_text("\n".join(path for path in files if TEST in path))  # as released: no end


def test_lists_make_the_split_and_the_hash_is_the_speaker(tmp_path: Path) -> None:
    lay_out(tmp_path)
    manifest = read(tmp_path, Columns())
    assert {(clip.group, clip.split) for clip in manifest.clips} == {(TRAIN, "train"), (DEV, "dev"), (TEST, "test")}
    (split,) = outer_splits(manifest)
    assert (len(split.test), len(split.dev), len(split.search)) == (4, 4, 8)
    assert manifest.labels == ("follow", "yes")
    assert dict(manifest.clips[1].extra) == {"repetition": "1"}


def test_the_release_is_told_by_its_words(tmp_path: Path) -> None:
    lay_out(tmp_path / "v2")
    lay_out(tmp_path / "v1", [path for path in FILES if path.startswith("yes")] + [f"no/{TRAIN}_nohash_0.wav"])
    assert (
        read(tmp_path / "v2", Columns()).notes[0].startswith("12 of the 105,829 clips of Speech Commands v0.02: a par")
    )
    assert read(tmp_path / "v1", Columns()).notes[0].startswith("7 of the 64,721 clips of Speech Commands v0.01: a par")


def test_the_folders_of_the_kaggle_archive_are_read_too(tmp_path: Path) -> None:
    lay_out(tmp_path)
    (tmp_path / "audio").mkdir()
    for word in ("yes", "follow"):
        (tmp_path / word).rename(tmp_path / "audio" / word)
    assert recognise(tmp_path) == "speech_commands"
    assert {clip.split for clip in read(tmp_path, Columns()).clips} == {"train", "dev", "test"}


def test_background_noise_is_left_out_and_told(tmp_path: Path) -> None:
    lay_out(tmp_path)
    (tmp_path / "_background_noise_").mkdir()
    (tmp_path / "_background_noise_" / "README.md").write_text("six recordings")
    for name in ("doing_the_dishes", "pink_noise"):
        (tmp_path / "_background_noise_" / f"{name}.wav").write_bytes(b"RIFF")
    manifest = read(tmp_path, Columns())
    assert len(manifest) == len(FILES)
    assert manifest.notes[-1] == "2 recording(s) of background noise are left out"
    assert recognise(tmp_path) == "speech_commands"


def test_files_of_the_lists_that_are_not_there_are_told(tmp_path: Path) -> None:
    lay_out(tmp_path)
    (tmp_path / FILES[4]).unlink()
    assert (
        f"1 file(s) of the official lists are not here: {FILES[4].removesuffix('.wav')}"
        in read(tmp_path, Columns()).notes
    )


@pytest.mark.parametrize(("gone", "said"), [
    (["testing_list.txt"], r"no testing_list\.txt; the official split needs both"),
    (["validation_list.txt", "testing_list.txt"], r"no validation_list\.txt and no testing_list\.txt; "),
])  # fmt: skip
def test_a_missing_list_is_not_made_up(tmp_path: Path, gone: list[str], said: str) -> None:
    lay_out(tmp_path)
    for name in gone:
        (tmp_path / name).unlink()
    assert recognise(tmp_path) == "speech_commands"
    with pytest.raises(ManifestError, match=said):
        read(tmp_path, Columns())


def test_a_list_that_is_none_is_refused(tmp_path: Path) -> None:
    lay_out(tmp_path)
    (tmp_path / "testing_list.txt").write_text("yes/nothing.wav\n../x/1_nohash_0.wav\n")
    with pytest.raises(
        ManifestError, match=r"testing_list\.txt: 2 line\(s\) that are no WORD/FILE: 'yes/nothing\.wav'; "
    ):
        read(tmp_path, Columns())
    (tmp_path / "testing_list.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(ManifestError, match=r"testing_list\.txt: not a text file"):
        read(tmp_path, Columns())
    (tmp_path / "testing_list.txt").write_text((tmp_path / "validation_list.txt").read_text())
    with pytest.raises(
        ManifestError, match=r"a69b9b3e_nohash_0 stands in validation_list\.txt and in testing_list\.txt"
    ):
        read(tmp_path, Columns())


def test_other_words_and_names_are_told_at_once(tmp_path: Path) -> None:
    lay_out(tmp_path, [*FILES, f"_unknown_/{TRAIN}_nohash_0.wav", f"yess/{TRAIN}_nohash_0.wav", "yes/recording.wav"])
    assert recognise(tmp_path) == "speech_commands"
    with pytest.raises(ManifestError, match=r"3 file\(s\) not of Speech Commands: ") as error:
        read(tmp_path, Columns())
    for part in (
        "unknown word '_unknown_'",
        "unknown word 'yess' (did you mean 'yes'?)",
        "yes/recording.wav (SPEAKER_n",
    ):
        assert part in str(error.value)


def test_lists_that_divide_a_speaker_are_refused(tmp_path: Path) -> None:
    lay_out(tmp_path)
    lines = (tmp_path / "testing_list.txt").read_text().splitlines()
    (tmp_path / "testing_list.txt").write_text("\n".join(lines[1:]))
    with pytest.raises(ManifestError, match=r"group 'bb05582b' is in split '(test|train)' and in split '(test|train)'"):
        outer_splits(read(tmp_path, Columns()))
