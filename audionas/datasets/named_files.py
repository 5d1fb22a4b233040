"""File names that are taken apart all at once: what cannot be read is one error, a file that lies twice counts once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import TypeVar

from audionas.datasets.releases import shown
from audionas.errors import ManifestError

Item = TypeVar("Item")
Part = TypeVar("Part")

_SHOWN = 5


def all_read(where: Path, items: Sequence[Item], reading: Callable[[Item], Part], what: str, advice: str) -> list[Part]:
    """What `reading` makes of each item, in order; it raises ValueError for one that it refuses.

    Args:
        where: the folder or table that the error names.
        what: plural, `file name(s) not of RAVDESS`.
        advice: what to do.

    Raises:
        ManifestError: items are refused: how many, the first five with their reasons, and the advice.
    """
    parts, wrong = [], []
    for item in items:
        try:
            parts.append(reading(item))
        except ValueError as why:
            wrong.append(str(why))
    if wrong:
        more = f"; and {len(wrong) - _SHOWN:,} more" if len(wrong) > _SHOWN else ""
        raise ManifestError(f"{where}: {len(wrong):,} {what}: {'; '.join(wrong[:_SHOWN])}{more}; {advice}")
    return parts


def one_of_each(root: Path, paths: Sequence[str], depth: int = 1) -> tuple[list[str], list[str]]:
    """The paths without second copies of a file, sorted, and a note on those left out.

    Two paths are one file if their last `depth` parts are alike, the ending apart; the shorter path stays. Only the
    sizes are compared: a copy that somebody has cut or resampled has another one.

    Raises:
        ManifestError: two files of one name differ in size.
    """
    kept: dict[str, str] = {}
    copies = []
    for path in sorted(paths, key=lambda path: (path.count("/"), path)):
        first = kept.setdefault(name_in(path, depth), path)
        if first != path:
            copies.append((first, path))
    differing = [pair for pair in copies if _size(root / pair[0]) != _size(root / pair[1])]
    if differing:
        first, second = differing[0]
        raise ManifestError(
            f"{root}: {first} and {second} have one name and are not the same file ({len(differing):,} such pair(s)); "
            "keep one copy of the corpus in this folder"
        )
    notes = [f"{len(copies):,} file(s) lie twice and count once: {shown([second for _, second in copies])}"]
    return sorted(kept.values()), notes if copies else []


def name_in(path: str, depth: int = 1) -> str:
    """The last parts of a path without its ending.

    >>> name_in("audio/yes/0a7c2a8d_nohash_0.wav", depth=2)
    'yes/0a7c2a8d_nohash_0'
    """
    return "/".join(PurePosixPath(path).with_suffix("").parts[-depth:])


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else -1
