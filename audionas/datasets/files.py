"""The audio files under a root folder: in a fixed order, none hidden, none outside the root."""

from __future__ import annotations

import os
from pathlib import Path

from audionas.audio.waveform import SUFFIXES
from audionas.errors import ManifestError


def audio_files(root: Path) -> list[str]:
    """Paths of all audio files, relative to `root` with "/" between the parts, sorted.

    Hidden files and folders are left out, as are the `._*` and `__MACOSX` that macOS leaves behind.

    Raises:
        ManifestError: `root` is not a folder, or a link leads out of it.
    """
    if not root.is_dir():
        raise ManifestError(f"{root}: no such folder; give a folder of audio files or a CSV")
    found = []
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = sorted(name for name in subfolders if not _is_hidden(name))
        for name in [*names, *subfolders]:
            path = Path(folder, name)
            if _is_hidden(name) or (name in names and path.suffix.lower() not in SUFFIXES):
                continue
            if path.is_symlink():
                check_inside(root, path)
            if name in names:
                found.append(path.relative_to(root).as_posix())
    return sorted(found)


def check_inside(root: Path, path: Path) -> None:
    """Refuse a path that leads out of the root, by ".." or by a link.

    Raises:
        ManifestError: it does.
    """
    try:
        is_inside = path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError) as why:  # a link to itself
        raise ManifestError(f"{path}: cannot be followed ({why})") from why
    if not is_inside:
        raise ManifestError(f"{path}: leads out of the corpus folder {root}; copy the file into it")


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"
