"""`csv`: any corpus that a table describes, one row a clip.

Columns: path and label; optional start_s and duration_s (a cut of the file), split (train, dev, test),
clip (windows of one recording share it), a group (`group`, else `speaker`, else `recording`) and a fold
(`fold`, else `session_or_fold`). Folds win over the split. All other columns are kept.
"""

from __future__ import annotations

import math
from pathlib import Path

from audionas.audio.folds import SPLIT_NAMES
from audionas.audio.manifest import COLUMNS, Clip, Manifest, read_table, table_rows
from audionas.datasets.columns import Columns
from audionas.datasets.files import check_inside
from audionas.errors import ManifestError, unknown

GROUP_COLUMNS = ("group", "speaker", "recording")
FOLD_COLUMNS = ("fold", "session_or_fold")
_SHOWN_PROBLEMS = 5


def read(root: Path, columns: Columns) -> Manifest:
    """The clips of a CSV file, or of `manifest.csv` in a folder; audio paths are relative to its folder.

    Raises:
        ManifestError: no such table or column, an empty or impossible cell, a path outside the folder. All
            wrong rows are counted and the first few are named.
    """
    table_path = root / "manifest.csv" if root.is_dir() else root
    table = read_table(table_path)
    optional = {*GROUP_COLUMNS, *FOLD_COLUMNS, "split"}
    empty = {name for name in optional & set(table.columns) if not table[name].str.strip().any()}
    found = [name for name in table.columns if name not in empty]
    names = _Names(table_path, found, columns)
    clips, wrong = [], []
    for line, row in enumerate(table_rows(table), start=2):
        try:
            clips.append(_clip(names, row))
        except ValueError as why:
            wrong.append(f"line {line}: {why}")
    if wrong:
        more = f"; and {len(wrong) - _SHOWN_PROBLEMS} more rows" if len(wrong) > _SHOWN_PROBLEMS else ""
        raise ManifestError(f"{table_path}: {'; '.join(wrong[:_SHOWN_PROBLEMS])}{more}")
    manifest = Manifest(
        root=table_path.parent,
        clips=(),
        labels=(),
        group_source=f"column {names.group!r}" if names.group else "",
        fold_source=_fold_source(names),
    )
    return manifest.with_clips(clips)


class _Names:
    """The columns of one table, by what they mean; None where the table has no such column."""

    def __init__(self, table_path: Path, found: list[str], columns: Columns) -> None:
        self.folder = table_path.parent
        self.label_may_be_empty = columns.may_be_empty
        self.path = _find(table_path, found, "path", "the table needs one with the audio files")
        self.label = _find(table_path, found, columns.label or "label", "name the label column with --label")
        self.group = columns.group and _find(table_path, found, columns.group, "asked for with --group")
        self.fold = columns.folds and _find(table_path, found, columns.folds, "asked for with --folds")
        self.group = self.group or next((name for name in GROUP_COLUMNS if name in found), None)
        self.fold = self.fold or next((name for name in FOLD_COLUMNS if name in found), None)
        self.split = "split" if "split" in found and self.fold != "split" else None
        cut = {"start_s", "duration_s", "clip", "sha256"}
        used = {self.path, self.label, self.group, self.fold, self.split} | cut
        self.extra = [name for name in found if name not in used]


def _find(table_path: Path, found: list[str], name: str, hint: str) -> str:
    if name not in found:
        raise ManifestError(f"{table_path}: {unknown('column', name, found)}; {hint}")
    return name


def _fold_source(names: _Names) -> str:
    if names.fold:
        return f"column {names.fold!r}"
    return "column 'split'" if names.split else ""


def _clip(names: _Names, row: dict[str, str]) -> Clip:
    """The clip of one row. Raises ValueError for an empty or impossible cell."""
    return Clip(
        path=_path(names.folder, _filled(row, names.path)),
        label=row[names.label] if names.label_may_be_empty else _filled(row, names.label),
        group=_filled(row, names.group) if names.group else "",
        fold=_filled(row, names.fold) if names.fold else "",
        split=_split(_filled(row, names.split)) if names.split else "",
        start_s=_seconds(row, "start_s"),
        duration_s=_seconds(row, "duration_s"),
        clip=row.get("clip", ""),
        sha256=row.get("sha256", ""),
        extra=tuple((_extra_name(name), row[name]) for name in names.extra),
    )


def _extra_name(name: str) -> str:
    """A kept column may not take a name that the prepared manifest uses itself."""
    return f"source_{name}" if name in COLUMNS else name


def _filled(row: dict[str, str], name: str) -> str:
    if not row[name].strip():
        raise ValueError(f"empty {name!r}")
    return row[name]


def _path(folder: Path, text: str) -> str:
    try:
        check_inside(folder, folder / text)
    except ManifestError as why:
        raise ValueError(f"path {text!r} leads out of the table's folder; use paths inside it") from why
    path = Path(text)
    path = path.relative_to(folder.resolve()) if path.is_absolute() else path
    if ".." in path.parts:
        raise ValueError(f"path {text!r} holds '..'; write it without")
    return path.as_posix()


def _split(text: str) -> str:
    name = SPLIT_NAMES.get(text.strip().lower())
    if name is None:
        raise ValueError(unknown("split", text, SPLIT_NAMES))
    return name


def _seconds(row: dict[str, str], name: str) -> float:
    text = row.get(name, "")
    try:
        value = float(text) if text.strip() else 0.0
    except ValueError as why:
        raise ValueError(f"{name} {text!r} is not a number of seconds") from why
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"{name} {text!r} must be 0 or more")
    return value
