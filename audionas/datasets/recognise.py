"""Tells from names and folders which data set lies in a folder; the user can always name it instead."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from audionas.audio.waveform import SUFFIXES
from audionas.datasets import crema_d, emodb, esc50, fsdd, ravdess, speech_commands, urbansound8k
from audionas.datasets.files import audio_files
from audionas.datasets.iemocap_files import release_root
from audionas.errors import ManifestError

_BY_NAMES: dict[str, re.Pattern[str]] = {"emodb": emodb.NAME, "fsdd": fsdd.NAME}


def recognise(root: Path) -> str:
    """The name, in DATASETS, of the layout of `root`.

    A table wins over file names, and names over folders; EMO-DB and FSDD are known by their names only when all
    of them fit. A corpus with a layout of its own is known by that, so that its reader can name what is wrong in it.
    An IEMOCAP release is taken for its subset `iemocap`, RAVDESS for its speech; the others are to be named.

    Raises:
        ManifestError: no such path, no audio, or none of the known layouts.
    """
    if root.is_file() and root.suffix.lower() == ".csv":
        return "csv"
    if root.is_file():
        raise ManifestError(f"{root}: is a file; give a folder of audio files, or a table that ends in .csv")
    if not root.exists():
        raise ManifestError(f"{root}: no such file or folder")
    if (root / "manifest.csv").is_file():
        return "csv"
    if release_root(root) is not None:
        return "iemocap"
    paths = audio_files(root)
    if not paths:
        raise ManifestError(f"{root}: no audio files in it ({', '.join(SUFFIXES)} were looked for)")
    own_layout = _own_layout(root, paths)
    if own_layout is not None:
        return own_layout
    for name, pattern in _BY_NAMES.items():
        if _all_match(pattern, paths):
            return name
    if any("/" in path for path in paths):
        return "folder_per_label"
    raise ManifestError(f"{root}: layout not recognised; {_looked_for(root)}")


def _own_layout(root: Path, paths: list[str]) -> str | None:
    """The corpus whose own tables, lists or folders these are."""
    here = {
        "esc50": esc50.is_here(root, paths),
        "urbansound8k": urbansound8k.is_here(root, paths),
        "speech_commands": speech_commands.is_here(root, paths),
        "crema_d": crema_d.is_here(paths),
    }
    return next((name for name, is_so in here.items() if is_so), None) or ravdess.data_set_here(paths)


def _all_match(pattern: re.Pattern[str], paths: list[str]) -> bool:
    return all(pattern.fullmatch(PurePosixPath(path).stem) for path in paths)


def _looked_for(root: Path) -> str:
    tables = sorted(path.name for path in root.glob("*.csv"))
    hint = f"; {tables[0]} lies there: give it as DATA" if tables else ""
    return (
        "looked for manifest.csv, an IEMOCAP release, the file names of emodb, fsdd, esc50, urbansound8k, "
        "speech_commands, crema_d and ravdess, train/dev/test folders, "
        f"and a folder per label, and found audio files that lie side by side without labels{hint}"
    )
