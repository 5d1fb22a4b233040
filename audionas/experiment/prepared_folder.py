"""Where prepared corpora lie, and which folders may become one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from audionas.errors import ManifestError
from audionas.records import read_json, to_json, writing
from audionas.run_places import cache_root

# What a preparation leaves behind that was killed or refused.
_UNFINISHED = {"source.json", "scan.jsonl", "prepare.lock"}


def is_prepared(folder: Path) -> bool:
    """Whether a folder is one that `prepare` made."""
    return (folder / "manifest.json").is_file() and (folder / "manifest.csv").is_file()


def cache_folder(data: Path, source: dict[str, Any]) -> Path:
    """The place of a corpus that was given without one; other options are another folder."""
    key = hashlib.sha256(to_json(source).encode()).hexdigest()[:16]
    return cache_root() / "prepared" / f"{data.resolve().stem}-{key}"


def check_out(folder: Path, source: dict[str, Any]) -> None:
    """Refuse a folder that holds anything but an earlier preparation of the same data, or an unfinished one.

    Raises:
        ManifestError: it does.
    """
    if folder.exists() and not folder.is_dir():
        raise ManifestError(f"{folder}: is a file; choose another --out")
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    if not is_prepared(folder) and {path.name for path in folder.iterdir()} <= _UNFINISHED:
        return
    marker = folder / "source.json"
    made_from = read_json(marker, "prepared folder") if marker.is_file() else None
    if made_from != source:
        holds = "was prepared from other data or with other options" if made_from else "holds other files"
        raise ManifestError(f"{folder}: {holds}; choose another --out")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder while one process prepares it; others wait."""
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "prepare.lock")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
