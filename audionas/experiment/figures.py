"""Two JSON documents compared, leaf by leaf: what is stored, and what was computed again."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from audionas import __version__
from audionas.errors import AudionasError

TOLERANCE = 1e-9
ABSENT = "absent"


@dataclass(frozen=True)
class Mismatch:
    """One thing that does not hold: where, what is stored, what was found."""

    file: str
    key: str
    stored: Any
    recomputed: Any

    def __str__(self) -> str:
        key = f" {self.key}:" if self.key else ""
        return f"{self.file}:{key} stored {_short(self.stored)}, recomputed {_short(self.recomputed)}"


@dataclass
class Findings:
    """What a verification counted and found, file by file; `root` is taken out of what is told."""

    root: str = ""
    n_figures: int = 0
    mismatches: list[Mismatch] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @contextmanager
    def reading(self, file: str) -> Iterator[None]:
        """Take what cannot be read as a mismatch of its file, and go on with the next."""
        try:
            yield
        except AudionasError as why:
            self.mismatches.append(Mismatch(file, "", "a sound file", self._told(why)))
        except (AssertionError, AttributeError, IndexError, KeyError, TypeError, ValueError, ZeroDivisionError) as why:
            # A stranger's file that is JSON or CSV, yet not of the form that every run has.
            self.mismatches.append(Mismatch(file, "", "a file of a run", f"malformed ({type(why).__name__}: {why})"))

    def _told(self, why: AudionasError) -> str:
        return str(why).replace(f"{self.root}/", "") if self.root else str(why)

    @staticmethod
    def is_same_version(record: Mapping[str, Any]) -> bool:
        """Whether a run was made by the audionas that verifies it."""
        return bool(record.get("versions", {}).get("audionas") == __version__)

    def expect(self, file: str, key: str, stored: Any, recomputed: Any) -> None:
        """One value; a number counts as a figure."""
        if _is_number(stored) and _is_number(recomputed):
            self.n_figures += 1
        if not _equal(stored, recomputed):
            self.mismatches.append(Mismatch(file, key, stored, recomputed))

    def compare(self, file: str, stored: Any, recomputed: Any, *, is_same_version: bool = True) -> None:
        """A stored document against the recomputed one.

        A part of the document that nothing recomputes becomes a note. Any other leaf that stands on one side only is
        a mismatch, as long as the version of audionas is the same; another version may know other figures.
        """
        before, now = dict(leaves(stored)), dict(leaves(recomputed))
        parts = {_part(key) for key in now}
        for key in [*before, *(key for key in now if key not in before)]:
            if key in before and key in now:
                self.expect(file, key, before[key], now[key])
            elif is_same_version and _part(key) in parts:
                self.mismatches.append(Mismatch(file, key, before.get(key, ABSENT), now.get(key, ABSENT)))
        left = sorted({_part(key) for key in before} - parts)
        if left:
            self.notes.append(f"{file}: not recomputed: {', '.join(left)}")


def _part(key: str) -> str:
    """The first name of a leaf's place."""
    return key.split(".")[0].split("[")[0]


def leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of a JSON value with its place; empty lists and objects are leaves.

    >>> list(leaves({"a": [1, {"b": 2}], "c": []}))
    [('a[0]', 1), ('a[1].b', 2), ('c', [])]
    """
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from leaves(item, f"{key}.{name}" if key else str(name))
    elif isinstance(value, (list, tuple)) and value:
        for number, item in enumerate(value):
            yield from leaves(item, f"{key}[{number}]")
    else:
        yield key, list(value) if isinstance(value, tuple) else value


def _equal(stored: Any, recomputed: Any) -> bool:
    if _is_number(stored) and _is_number(recomputed):
        return math.isclose(stored, recomputed, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return bool(stored == recomputed)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _short(value: Any) -> str:
    text = repr(value) if isinstance(value, str) and value != ABSENT else str(value)
    return text if len(text) <= 300 else f"{text[:297]}..."
