"""`folder_per_label`: ROOT/<label>/**/*.wav, or ROOT/{train,dev,test}/<label>/**/*.wav.

A label is the name of its folder, whatever letters it holds. Split folders go by any of the usual names
(`val`, `valid`, `validation`, `testing`, ...).
"""

from __future__ import annotations

from pathlib import Path

from audionas.audio.folds import SPLIT_NAMES
from audionas.audio.manifest import Clip, Manifest
from audionas.datasets.columns import Columns, apply_columns
from audionas.datasets.files import audio_files
from audionas.errors import ManifestError


def read(root: Path, columns: Columns) -> Manifest:
    """All audio files below the label folders.

    Raises:
        ManifestError: an audio file lies outside every label folder, or a link leads out of the root.
    """
    paths = audio_files(root)
    has_splits = is_split(paths)
    clips = [_clip(root, path, has_splits) for path in paths]
    manifest = Manifest(
        root=root,
        clips=(),
        labels=(),
        dataset="folder_per_label",
        fold_source="split folders" if has_splits else "",
    )
    return apply_columns(manifest.with_clips(clips), columns)


def is_split(paths: list[str]) -> bool:
    """Whether the first folders are splits: all have such names, and there are a train and another one."""
    tops = {path.split("/")[0].lower() for path in paths}
    splits = {SPLIT_NAMES.get(top) for top in tops}
    return None not in splits and "train" in splits and len(splits) > 1


def _clip(root: Path, path: str, has_splits: bool) -> Clip:
    parts = path.split("/")
    depth = 1 if has_splits else 0
    if len(parts) < depth + 2:
        where = "split and label folder" if has_splits else "label folder"
        raise ManifestError(f"{root / path}: lies outside every {where}; move it into the folder of its label")
    split = SPLIT_NAMES[parts[0].lower()] if has_splits else ""
    return Clip(path=path, label=parts[depth], split=split)
