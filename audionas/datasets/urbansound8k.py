"""`urbansound8k`: environmental sounds in the official layout, `metadata/UrbanSound8K.csv` and `audio/fold1` to 10.

The table and the folds may also lie in the root itself. A name is recording, class, occurrence, slice; the group is
the recording on Freesound (`fsID`).

Source: Salamon, Jacoby, Bello, "A Dataset and Taxonomy for Urban Sound Research", ACM Multimedia 2014. The folds are
    the official ones but for five recordings: these were annotated with two classes each and stand in two folds, some
    with the same seconds of sound. Here all slices of such a recording are in the fold that has most of them (42 of
    the 8,732 clips change theirs); `official_fold` keeps the table's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from audionas.audio.manifest import Clip, Manifest, read_table, table_rows
from audionas.datasets.columns import Columns, apply_columns
from audionas.datasets.files import audio_files
from audionas.datasets.named_files import all_read
from audionas.datasets.releases import Release, joined_notes, release_notes, shown
from audionas.errors import ManifestError, unknown

TABLES = ("metadata/UrbanSound8K.csv", "UrbanSound8K.csv")
NAME = re.compile(r"(\d+)-(\d)-(\d+)-(\d+)\.wav", re.ASCII)
CLASSES = (
    "air_conditioner", "car_horn", "children_playing", "dog_bark", "drilling", "engine_idling", "gun_shot",
    "jackhammer", "siren", "street_music",
)  # fmt: skip
FOLDS = tuple(str(k) for k in range(1, 11))
FEWER = {"car_horn": 429, "gun_shot": 374, "siren": 929}
# Counted in the official table, where 1,297 recordings have a slice.
RELEASE = Release("UrbanSound8K", {name: FEWER.get(name, 1000) for name in CLASSES}, 1297, "recordings")
# The recordings of two folds in the official table (2 and 7, 1 and 8, 1 and 4, 1 and 4, 1 and 9), and the one they
# get here: that of most slices, of as many the first.
FOLD_OF_SPLIT_RECORDING = {"77751": "2", "106905": "1", "132016": "4", "176638": "4", "180937": "1"}
_NEEDED = ("slice_file_name", "fsID", "start", "end", "salience", "fold", "classID", "class")
_SALIENCES = {"1": "foreground", "2": "background"}
_FOLD_FOLDER = re.compile(r"fold\d+", re.ASCII)


def read(root: Path, columns: Columns) -> Manifest:
    """UrbanSound8K: 8,732 clips of 10 classes, 10 official folds.

    Group = Freesound recording. Kept: class_id, official_fold, recording_end_s, recording_start_s (the slice within
    the recording, seconds), salience (foreground, background). Clips without audio, audio that the table does not
    name, and counts that are not the release's are notes.

    Raises:
        ManifestError: the table is missing, lacks a column, or has rows that contradict themselves; a link leads out
            of the root.
    """
    table_path = _table(root)
    table = read_table(table_path)
    for name in _NEEDED:
        if name not in table.columns:
            raise ManifestError(f"{table_path}: {unknown('column', name, list(table.columns))}")
    folder = "audio/" if (root / "audio").is_dir() else ""
    clips = all_read(
        table_path,
        table_rows(table),
        lambda row: _clip(folder, row),
        "row(s) not of UrbanSound8K",
        "take the official table",
    )
    joined = joined_notes(clips)
    manifest = Manifest(
        root=root,
        clips=(),
        labels=(),
        dataset="urbansound8k",
        group_source="Freesound source recording",
        fold_source="UrbanSound8K official folds" + (", split recordings joined" if joined else ""),
        notes=(*_copy_notes(root, clips), *joined),
    )
    return apply_columns(manifest.with_clips(clips), columns)


def is_here(root: Path, paths: Sequence[str]) -> bool:
    """Whether a folder is UrbanSound8K's: its table, or files of such names in folders fold1, fold2, ..."""
    own = [path for path in paths if NAME.fullmatch(PurePosixPath(path).name)]
    in_folds = any(_FOLD_FOLDER.fullmatch(PurePosixPath(path).parent.name) for path in own)
    return in_folds or any((root / table).is_file() for table in TABLES)


def _table(root: Path) -> Path:
    found = next((root / name for name in TABLES if (root / name).is_file()), None)
    if found is None:
        raise ManifestError(f"{root}: no {' and no '.join(TABLES)}; put the official table there")
    return found


def _clip(folder: str, row: dict[str, str]) -> Clip:
    """The clip of one row. Raises ValueError if its cells contradict its name or the corpus."""
    name, group, fold, label = row["slice_file_name"], row["fsID"], row["fold"], row["class"]
    match = NAME.fullmatch(name)
    if match is None:
        raise ValueError(f"{name!r} (fsID-classID-occurrence-slice.wav such as 100032-3-0-0.wav)")
    if label not in CLASSES:
        raise ValueError(f"{name} ({unknown('class', label, CLASSES)})")
    if fold not in FOLDS:
        raise ValueError(f"{name} (fold {fold!r}, must be 1 to {len(FOLDS)})")
    if row["salience"] not in _SALIENCES:
        raise ValueError(f"{name} (salience {row['salience']!r}, must be 1 or 2)")
    class_id = str(CLASSES.index(label))
    if (group, row["classID"], class_id) != (match[1], match[2], match[2]):
        raise ValueError(f"{name} (the row says fsID {group}, classID {row['classID']}, {label})")
    extra = {
        "class_id": class_id,
        "official_fold": fold,
        "recording_end_s": row["end"],
        "recording_start_s": row["start"],
        "salience": _SALIENCES[row["salience"]],
    }
    return Clip(
        path=f"{folder}fold{fold}/{name}",
        label=label,
        group=group,
        fold=FOLD_OF_SPLIT_RECORDING.get(group, fold),
        extra=tuple(extra.items()),
    )


def _copy_notes(root: Path, clips: Sequence[Clip]) -> list[str]:
    """What the audio files are short of the release, and what they have beside it."""
    there = set(audio_files(root))
    unlisted = sorted(there - {clip.path for clip in clips})
    notes = release_notes([clip for clip in clips if clip.path in there], RELEASE)
    if unlisted:
        notes.append(f"{len(unlisted):,} audio file(s) are not in the table and are left out: {shown(unlisted)}")
    return notes
