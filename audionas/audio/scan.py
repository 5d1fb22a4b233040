"""Decodes and hashes every file of a corpus once; a journal makes a killed scan go on where it stopped.

The journal is a JSON lines file. A file whose size and times are those on record is not read again; a
changed one is.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from audionas.audio.waveform import check_finite, opened, sha256_of, truncated
from audionas.errors import AudioError, RunError
from audionas.records import read_jsonl, rewrite_jsonl, to_json, writing

logger = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]
"""Called with (what is being done, how many are done, how many there are)."""

_BLOCK_SAMPLES = 2**20
_LINES_PER_WRITE = 64


@dataclass(frozen=True)
class ScannedFile:
    """What a whole reading of one audio file found; `stamp` tells whether the file changed since."""

    path: str
    stamp: str
    sha256: str
    sample_rate_hz: int
    n_samples: int
    is_silent: bool

    @property
    def duration_s(self) -> float:
        """Length of the file."""
        return self.n_samples / self.sample_rate_hz


def scan_file(root: Path, path: str) -> ScannedFile:
    """Read one file to its end.

    Raises:
        AudioError: the file is missing, empty, damaged, or holds NaN or infinity.
    """
    full = root / path
    rate, n_samples, peak = read_through(full)
    return ScannedFile(path, _stamp(full), sha256_of(full), rate, n_samples, peak == 0.0)


def read_through(path: Path) -> tuple[int, int, float]:
    """Decode a file to its end: sample rate in Hz, samples, largest magnitude.

    Raises:
        AudioError: the file is missing, empty, damaged, or holds NaN or infinity.
    """
    n_samples, peak = 0, 0.0
    with opened(path) as file:
        while len(block := file.read(_BLOCK_SAMPLES, dtype="float32", always_2d=True)):
            check_finite(path, block)
            n_samples += len(block)
            peak = max(peak, float(np.abs(block).max()))
        if n_samples < file.frames:
            raise truncated(path, n_samples, file.frames)
        return file.samplerate, n_samples, peak


def scan(
    root: Path,
    paths: Sequence[str],
    journal: Path,
    *,
    skip_bad: bool = False,
    on_progress: Progress | None = None,
) -> tuple[dict[str, ScannedFile], list[AudioError]]:
    """Scan files in order, reading only those that `journal` does not know: by path, and the bad ones.

    Raises:
        AudioError: a file is unusable and `skip_bad` is false.
    """
    found = _read_journal(root, journal, paths)
    todo = [path for path in paths if path not in found]
    bad: list[AudioError] = []
    lines: list[Any] = []
    if todo:  # no torn or stale line stays before the new ones
        rewrite_jsonl(journal, [asdict(record) for record in found.values()])
    try:
        with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
            for path, result in zip(todo, pool.map(lambda path: _attempt(root, path), todo), strict=True):
                if isinstance(result, AudioError):
                    bad.append(result)
                    if not skip_bad:
                        pool.shutdown(wait=False, cancel_futures=True)
                        raise result
                    continue
                found[path] = result
                lines.append(asdict(result))
                if len(lines) >= _LINES_PER_WRITE:
                    _append(journal, lines)
                if on_progress:
                    on_progress("scanning", len(found) + len(bad), len(paths))
    finally:
        _append(journal, lines)
    return found, bad


def _attempt(root: Path, path: str) -> ScannedFile | AudioError:
    try:
        return scan_file(root, path)
    except AudioError as why:
        return why


def _read_journal(root: Path, journal: Path, paths: Sequence[str]) -> dict[str, ScannedFile]:
    """The records of those files that have not changed since; a damaged journal is begun anew."""
    try:
        records = {line["path"]: ScannedFile(**line) for line in read_jsonl(journal)}
    except (RunError, TypeError, KeyError, AttributeError) as why:
        logger.warning("%s: damaged (%s); scanning all files again", journal, why)
        journal.unlink()
        return {}
    return {path: records[path] for path in paths if path in records and records[path].stamp == _stamp(root / path)}


def _append(journal: Path, lines: list[Any]) -> None:
    with writing(journal), journal.open("a", encoding="utf-8") as stream:
        stream.writelines(to_json(line) + "\n" for line in lines)
    lines.clear()


def _stamp(path: Path) -> str:
    """Size and times; the change time (ctime) catches a file that was replaced with its old date kept."""
    try:
        stat = path.stat()
    except OSError:
        return "missing"
    return f"{stat.st_size}:{stat.st_mtime_ns}:{stat.st_ctime_ns}"
