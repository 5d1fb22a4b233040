"""UrbanSound8K: the official table decides, and a recording is in one fold."""

from __future__ import annotations

from pathlib import Path

import pytest

from audionas.audio.folds import outer_splits
from audionas.datasets import Columns, recognise
from audionas.datasets.urbansound8k import CLASSES, read
from audionas.errors import ManifestError

HEADER = "slice_file_name,fsID,start,end,salience,fold,classID,class"
# Rows of the official table; the last two are one recording in two folds.
ROWS = (
    "100032-3-0-0.wav,100032,0.0,0.317551,1,5,3,dog_bark",
    "100648-1-0-0.wav,100648,4.823402,5.471927,2,10,1,car_horn",
    "106905-5-0-0.wav,106905,55.008446,59.008446,1,8,5,engine_idling",
    "106905-8-0-0.wav,106905,43.636489,47.636489,1,1,8,siren",
)


def lay_out(root: Path, rows: tuple[str, ...] = ROWS, audio: str = "audio/", table: str = "metadata/") -> None:
    for row in rows:
        path = root / f"{audio}fold{row.split(',')[5]}" / row.split(",")[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"RIFF")
    (root / table).mkdir(parents=True, exist_ok=True)
    (root / table / "UrbanSound8K.csv").write_text("\n".join([HEADER, *rows]) + "\n")


def test_labels_recordings_and_what_the_table_says_are_kept(tmp_path: Path) -> None:
    lay_out(tmp_path)
    dog, horn, *_ = read(tmp_path, Columns()).clips
    assert (dog.path, dog.label, dog.group, dog.fold) == ("audio/fold5/100032-3-0-0.wav", "dog_bark", "100032", "5")
    assert dict(dog.extra) == {
        "class_id": "3", "official_fold": "5", "recording_end_s": "0.317551", "recording_start_s": "0.0",
        "salience": "foreground",
    }  # fmt: skip
    assert dict(horn.extra)["salience"] == "background"


def test_class_numbers_are_those_of_the_corpus() -> None:
    assert dict(enumerate(CLASSES)) == {
        0: "air_conditioner", 1: "car_horn", 2: "children_playing", 3: "dog_bark", 4: "drilling", 5: "engine_idling",
        6: "gun_shot", 7: "jackhammer", 8: "siren", 9: "street_music",
    }  # fmt: skip


def test_a_recording_of_two_official_folds_is_in_one(tmp_path: Path) -> None:
    lay_out(tmp_path)
    manifest = read(tmp_path, Columns())
    folds = {clip.label: (clip.fold, dict(clip.extra)["official_fold"]) for clip in manifest.clips}
    assert (folds["engine_idling"], folds["siren"]) == (("1", "8"), ("1", "1"))
    assert manifest.fold_source == "UrbanSound8K official folds, split recordings joined"
    assert manifest.notes[-1].startswith("1 clip(s) of recordings that stand in two official folds are in one here")
    assert [split.name for split in outer_splits(manifest)] == ["1", "5", "10"]
    with pytest.raises(ManifestError, match=r"group '106905' is in fold '8' and in fold '1'"):
        outer_splits(read(tmp_path, Columns(folds="official_fold")))


def test_any_other_recording_of_two_folds_is_refused(tmp_path: Path) -> None:
    lay_out(tmp_path, (*ROWS, "100032-3-0-1.wav,100032,0.0,0.3,1,6,3,dog_bark"))
    with pytest.raises(ManifestError, match=r"group '100032' is in fold '5' and in fold '6'"):
        outer_splits(read(tmp_path, Columns()))


@pytest.mark.parametrize(("audio", "table"), [("audio/", "metadata/"), ("", ""), ("audio/", "")])
def test_table_and_folds_may_lie_in_the_root(tmp_path: Path, audio: str, table: str) -> None:
    lay_out(tmp_path, audio=audio, table=table)
    assert recognise(tmp_path) == "urbansound8k"
    assert all((tmp_path / clip.path).is_file() for clip in read(tmp_path, Columns()).clips)


def test_a_partial_copy_and_files_beside_the_table_are_told(tmp_path: Path) -> None:
    lay_out(tmp_path)
    (tmp_path / "audio/fold5/100032-3-0-0.wav").rename(tmp_path / "audio/fold5/100032-3-0-9.wav")
    first, second, *_ = read(tmp_path, Columns()).notes
    assert first.startswith(
        "3 of the 8,732 clips of UrbanSound8K: a partial copy; counts differ in air_conditioner (0 of"
    )
    assert first.endswith("; 2 of 1,297 recordings")
    assert second == "1 audio file(s) are not in the table and are left out: audio/fold5/100032-3-0-9.wav"


def test_without_the_table_folds_are_not_taken_for_labels(tmp_path: Path) -> None:
    lay_out(tmp_path)
    (tmp_path / "metadata" / "UrbanSound8K.csv").unlink()
    assert recognise(tmp_path) == "urbansound8k"
    with pytest.raises(
        ManifestError, match=r"no metadata/UrbanSound8K\.csv and no UrbanSound8K\.csv; put the official"
    ):
        read(tmp_path, Columns())


def test_rows_that_contradict_themselves_are_told_at_once(tmp_path: Path) -> None:
    lay_out(tmp_path)
    rows = [
        "100032-3-0-0.wav,100032,0.0,0.3,1,5,3,dog",
        "100032-3-0-1.wav,100032,0.0,0.3,1,11,3,dog_bark",
        "100032-3-0-2.wav,100032,0.0,0.3,3,5,3,dog_bark",
        "100032-3-0-3.wav,100031,0.0,0.3,1,5,3,dog_bark",
        "../100032-3-0-4.wav,100032,0.0,0.3,1,5,3,dog_bark",
    ]
    (tmp_path / "metadata" / "UrbanSound8K.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    with pytest.raises(ManifestError, match=r"UrbanSound8K\.csv: 5 row\(s\) not of UrbanSound8K: ") as error:
        read(tmp_path, Columns())
    for part in (
        "unknown class 'dog' (did you mean 'dog_bark'?)",
        "(fold '11', must be 1 to 10)",
        "(salience '3', must be 1 or 2)",
        "(the row says fsID 100031, classID 3, dog_bark)",
        "'../100032-3-0-4.wav' (fsID-classID-",
    ):
        assert part in str(error.value)


def test_a_table_without_a_column_is_refused(tmp_path: Path) -> None:
    lay_out(tmp_path)
    (tmp_path / "metadata" / "UrbanSound8K.csv").write_text(HEADER.replace("fsID", "source") + "\n")
    with pytest.raises(ManifestError, match=r"UrbanSound8K\.csv: unknown column 'fsID'"):
        read(tmp_path, Columns())
