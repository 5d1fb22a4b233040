"""ESC-50 and ESC-10: the official table decides."""

from __future__ import annotations

from pathlib import Path

import pytest

from audionas.audio.folds import outer_splits
from audionas.datasets import Columns, recognise
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


def test_what_the_table_says_of_a_clip_is_kept(tmp_path: Path) -> None:
    write(tmp_path, HEADER, *ROWS)
    assert dict(read(tmp_path, Columns()).clips[0].extra) == {
        "esc10": "True", "official_fold": "1", "take": "A", "target": "0",
    }  # fmt: skip


# All clips of the four recordings that stand in two folds of the official table.
SPLIT_ROWS = [
    "2-131943-A-38.wav,2,38,clock_tick,True,131943,A", "3-131943-A-37.wav,3,37,clock_alarm,False,131943,A",
    "2-134049-A-6.wav,2,6,hen,False,134049,A", "3-134049-A-1.wav,3,1,rooster,True,134049,A",
    "4-209698-A-37.wav,4,37,clock_alarm,False,209698,A", "5-209698-A-38.wav,5,38,clock_tick,True,209698,A",
    "4-234879-A-6.wav,4,6,hen,False,234879,A", "5-234879-A-1.wav,5,1,rooster,True,234879,A",
    "5-234879-B-1.wav,5,1,rooster,True,234879,B",
]  # fmt: skip


def test_a_recording_of_two_official_folds_is_in_one_and_esc10_keeps_its_folds(tmp_path: Path) -> None:
    write(tmp_path, HEADER, *SPLIT_ROWS)
    manifest = read(tmp_path, Columns())
    assert [split.name for split in outer_splits(manifest)] == ["2", "3", "5"]
    assert manifest.fold_source == "ESC-50 official folds, split recordings joined"
    assert "4 clip(s) of recordings that stand in two official folds are in one here (column official_fold)" in (
        manifest.notes
    )
    small = read_esc10(tmp_path, Columns())
    assert all(clip.fold == dict(clip.extra)["official_fold"] for clip in small.clips)
    assert small.fold_source == "ESC-50 official folds"
    with pytest.raises(ManifestError, match=r"group '131943' is in fold '2' and in fold '3'"):
        outer_splits(read(tmp_path, Columns(folds="official_fold")))


def test_any_other_recording_of_two_folds_is_refused(tmp_path: Path) -> None:
    write(tmp_path, HEADER, *ROWS, "2-100032-B-0.wav,2,0,dog,True,100032,B")
    with pytest.raises(ManifestError, match=r"group '100032' is in fold '1' and in fold '2'"):
        outer_splits(read(tmp_path, Columns()))


def test_rows_that_contradict_their_names_are_told_at_once(tmp_path: Path) -> None:
    rows = ["1-100032-A-0.wav,2,0,dog,True,100032,A", "1-100032-A-0.wav,1,0,dog,True,100033,A",
            "6-1-A-0.wav,6,0,dog,True,1,A", "1-2-A-0.wav,1,0,dog,yes,2,A"]  # fmt: skip
    write(tmp_path, HEADER, *rows)
    with pytest.raises(ManifestError, match=r"esc50\.csv: 4 row\(s\) not of ESC-50: ") as error:
        read(tmp_path, Columns())
    assert "'1-100032-A-0.wav' (the row says 2-100032-A-0.wav, 'dog'; folds are 1 to 5)" in str(error.value)
    assert "(esc10 'yes', must be True or False)" in str(error.value)


def release_rows() -> list[str]:
    """50 classes, 8 clips of each in each of 5 folds; the first 10 classes are ESC-10."""
    return [
        f"{fold}-{1000 * fold + 8 * target + n}-A-{target}.wav,{fold},{target},class{target},{target < 10},"
        f"{1000 * fold + 8 * target + n},A"
        for fold in range(1, 6)
        for target in range(50)
        for n in range(8)
    ]


def lay_out_audio(root: Path, rows: list[str]) -> None:
    (root / "audio").mkdir(parents=True)
    for row in rows:
        (root / "audio" / row.split(",")[0]).touch()


def test_the_whole_release_is_taken_without_a_note(tmp_path: Path) -> None:
    write(tmp_path, HEADER, *release_rows())
    lay_out_audio(tmp_path, release_rows())
    for reader, n_clips, n_classes in ((read, 2000, 50), (read_esc10, 400, 10)):
        manifest = reader(tmp_path, Columns())
        assert (len(manifest), len(manifest.labels), manifest.notes) == (n_clips, n_classes, ())


def test_a_partial_copy_and_files_beside_the_table_are_told(tmp_path: Path) -> None:
    write(tmp_path, HEADER, *release_rows())
    lay_out_audio(tmp_path, release_rows()[1:])
    (tmp_path / "audio" / "1-7-A-0.wav").touch()
    assert read(tmp_path, Columns()).notes == (
        "1,999 of the 2,000 clips of ESC-50, 50 of 50 classes: a partial copy",
        "1 audio file(s) are not in the table and are left out: audio/1-7-A-0.wav",
    )


def test_more_clips_than_the_release_are_told(tmp_path: Path) -> None:
    rows = [*release_rows(), "1-9-B-0.wav,1,0,class0,True,9,B"]
    write(tmp_path, HEADER, *rows)
    lay_out_audio(tmp_path, rows)
    assert read_esc10(tmp_path, Columns()).notes == (
        "401 clips, 10 classes: not ESC-10 as published (40 clips of each class)",
    )


def test_without_the_table_its_names_are_recognised_unless_folders_are_labels(tmp_path: Path) -> None:
    lay_out_audio(tmp_path / "release", ROWS)
    assert recognise(tmp_path / "release") == "esc50"
    lay_out_audio(tmp_path / "by_label" / "dog", ROWS)
    (tmp_path / "by_label" / "dog" / "audio").rename(tmp_path / "by_label" / "dog" / "deeper")
    assert recognise(tmp_path / "by_label") == "folder_per_label"
