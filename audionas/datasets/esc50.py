"""`esc50` and `esc10`: environmental sounds in the official layout, `meta/esc50.csv` and `audio/`.

Source: K. J. Piczak, "ESC: Dataset for Environmental Sound Classification", ACM Multimedia 2015. The
    folds are the official ones; the group is the Freesound recording (`src_file`) that a clip is cut from.
"""

from __future__ import annotations

import re
from pathlib import Path

from audionas.audio.manifest import Clip, Manifest, read_table, table_rows
from audionas.datasets.columns import Columns, apply_columns
from audionas.datasets.files import check_inside
from audionas.errors import ManifestError, unknown

TABLE = "meta/esc50.csv"
NAME = re.compile(r"\d-\d+-[A-Z]-\d+")
_NEEDED = ("filename", "fold", "category", "esc10", "src_file")


def read(root: Path, columns: Columns) -> Manifest:
    """ESC-50: 2000 clips of 50 classes.

    Raises:
        ManifestError: the table is missing, lacks a column, or names a file outside the root.
    """
    return _read(root, columns, "esc50")


def read_esc10(root: Path, columns: Columns) -> Manifest:
    """ESC-10: the 400 clips of ESC-50 that its table marks as such.

    Raises:
        ManifestError: as `read`.
    """
    return _read(root, columns, "esc10")


def _read(root: Path, columns: Columns, dataset: str) -> Manifest:
    table = read_table(root / TABLE)
    for name in _NEEDED:
        if name not in table.columns:
            raise ManifestError(f"{root / TABLE}: {unknown('column', name, list(table.columns))}")
    rows = [row for row in table_rows(table) if dataset == "esc50" or row["esc10"].lower() == "true"]
    manifest = Manifest(
        root=root,
        clips=(),
        labels=(),
        dataset=dataset,
        group_source="Freesound source recording",
        fold_source="ESC-50 official folds",
    )
    return apply_columns(manifest.with_clips([_clip(root, row) for row in rows]), columns)


def _clip(root: Path, row: dict[str, str]) -> Clip:
    path = f"audio/{row['filename']}"
    check_inside(root, root / path)
    return Clip(path=path, label=row["category"], group=row["src_file"], fold=row["fold"])
