"""`esc50` and `esc10`: environmental sounds in the official layout, `meta/esc50.csv` and `audio/`.

A name is fold, Freesound recording, take, class number: `1-100032-A-0.wav`.

Source: K. J. Piczak, "ESC: Dataset for Environmental Sound Classification", ACM Multimedia 2015. The
    group is the Freesound recording (`src_file`) that a clip is cut from. The folds are the official ones but for four
    recordings, which gave clips of two classes and stand in two folds. Here these are in the fold of their ESC-10
    class, so that four clips of ESC-50 change theirs and none of ESC-10; `official_fold` keeps the table's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from audionas.audio.manifest import Clip, Manifest, read_table, table_rows
from audionas.datasets.columns import Columns, apply_columns
from audionas.datasets.files import audio_files, check_inside
from audionas.datasets.named_files import all_read
from audionas.datasets.releases import joined_notes, shown
from audionas.errors import ManifestError, unknown

TABLE = "meta/esc50.csv"
NAME = re.compile(r"\d-\d+-[A-Z]-\d+")
FOLDS = ("1", "2", "3", "4", "5")
# Hens and roosters, alarms and ticks: the recordings of two folds in the official table (2 and 3, 2 and 3, 4 and 5, 4
# and 5).
FOLD_OF_SPLIT_RECORDING = {"131943": "2", "134049": "3", "209698": "5", "234879": "5"}
N_CLASSES = {"esc50": 50, "esc10": 10}
N_PER_CLASS = 40
_NEEDED = ("filename", "fold", "target", "category", "esc10", "src_file", "take")


def read(root: Path, columns: Columns) -> Manifest:
    """ESC-50: 2,000 clips of 50 classes, 5 official folds.

    Group = Freesound recording. Kept: esc10 (True, False), official_fold, take, target (the class number). Clips
    without audio, audio that the table does not name, and counts that are not the release's are notes.

    Raises:
        ManifestError: the table is missing, lacks a column, has rows that contradict themselves, or names a file
            outside the root.
    """
    return _read(root, columns, "esc50")


def read_esc10(root: Path, columns: Columns) -> Manifest:
    """ESC-10: the 400 clips of 10 classes that ESC-50's table marks as such.

    Columns and errors are those of `read`.
    """
    return _read(root, columns, "esc10")


def is_here(root: Path, paths: Sequence[str]) -> bool:
    """Whether a folder is ESC-50's: its table, or names of its form side by side, in the root or in `audio`."""
    own = [path for path in paths if NAME.fullmatch(PurePosixPath(path).stem)]
    in_place = all(str(PurePosixPath(path).parent) in (".", "audio") for path in own)
    return (root / TABLE).is_file() or (in_place and len(own) == len(paths))


def _read(root: Path, columns: Columns, dataset: str) -> Manifest:
    table = read_table(root / TABLE)
    for name in _NEEDED:
        if name not in table.columns:
            raise ManifestError(f"{root / TABLE}: {unknown('column', name, list(table.columns))}")
    rows = table_rows(table)
    for row in rows:
        if "/" in row["filename"]:  # links are checked by `audio_files`
            check_inside(root, root / "audio" / row["filename"])
    found = all_read(root / TABLE, rows, _clip, "row(s) not of ESC-50", "take the official table")
    clips = [clip for clip in found if dataset == "esc50" or dict(clip.extra)["esc10"] == "True"]
    there = set(audio_files(root))
    joined = joined_notes(clips)
    manifest = Manifest(
        root=root,
        clips=(),
        labels=(),
        dataset=dataset,
        group_source="Freesound source recording",
        fold_source="ESC-50 official folds" + (", split recordings joined" if joined else ""),
        notes=(
            *_count_note([clip for clip in clips if clip.path in there], dataset),
            *joined,
            *_unlisted(sorted(there - {clip.path for clip in found})),
        ),
    )
    return apply_columns(manifest.with_clips(clips), columns)


def _clip(row: dict[str, str]) -> Clip:
    """The clip of one row. Raises ValueError if its cells contradict its name."""
    name, flag = row["filename"], row["esc10"].strip().capitalize()
    said = f"{row['fold']}-{row['src_file']}-{row['take']}-{row['target']}"
    if PurePosixPath(name).stem != said or row["fold"] not in FOLDS or not row["category"]:
        raise ValueError(f"{name!r} (the row says {said}.wav, {row['category']!r}; folds are 1 to {len(FOLDS)})")
    if flag not in ("True", "False"):
        raise ValueError(f"{name!r} (esc10 {row['esc10']!r}, must be True or False)")
    extra = {"esc10": flag, "official_fold": row["fold"], "take": row["take"], "target": row["target"]}
    return Clip(
        path=f"audio/{name}",
        label=row["category"],
        group=row["src_file"],
        fold=FOLD_OF_SPLIT_RECORDING.get(row["src_file"], row["fold"]),
        extra=tuple(extra.items()),
    )


def _count_note(clips: Sequence[Clip], dataset: str) -> list[str]:
    """One line if the clips are not 8 of each class in each of 5 folds."""
    n_classes = N_CLASSES[dataset]
    n_release = n_classes * N_PER_CLASS
    per_cell: dict[tuple[str, str], int] = {}
    for clip in clips:
        cell = clip.label, dict(clip.extra)["official_fold"]
        per_cell[cell] = per_cell.get(cell, 0) + 1
    n_cells = n_classes * len(FOLDS)
    if len(per_cell) == n_cells and set(per_cell.values()) == {n_release // n_cells}:
        return []
    name = "ESC-50" if dataset == "esc50" else "ESC-10"
    labels = len({label for label, _ in per_cell})
    if len(clips) < n_release:
        return [f"{len(clips):,} of the {n_release:,} clips of {name}, {labels} of {n_classes} classes: a partial copy"]
    return [f"{len(clips):,} clips, {labels} classes: not {name} as published ({N_PER_CLASS} clips of each class)"]


def _unlisted(paths: Sequence[str]) -> list[str]:
    told = f"{len(paths):,} audio file(s) are not in the table and are left out: {shown(paths)}"
    return [told] if paths else []
