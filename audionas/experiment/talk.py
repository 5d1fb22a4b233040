"""How a step of an experiment tells what it does; the command line decides how that looks."""

from __future__ import annotations

from typing import Protocol


class Talk(Protocol):
    """Lines for a person, and progress of countable work."""

    def say(self, line: str) -> None:
        """One line."""
        ...

    def warn(self, line: str) -> None:
        """One line that must not be overlooked."""
        ...

    def progress(self, what: str, done: int, total: int) -> None:
        """`done` of `total` pieces of `what`."""
        ...


class Silent:
    """Says nothing."""

    def say(self, line: str) -> None:
        """Nothing."""

    def warn(self, line: str) -> None:
        """Nothing."""

    def progress(self, what: str, done: int, total: int) -> None:
        """Nothing."""


def count(n: int, word: str) -> str:
    """A number with its noun.

    >>> count(1, "seed"), count(3, "seed")
    ('1 seed', '3 seeds')
    """
    return f"{n} {word}" if n == 1 else f"{n} {word}s"


def duration(seconds: float) -> str:
    """Seconds in words for a person.

    >>> duration(3.21), duration(75), duration(7500)
    ('3.2 s', '1 min 15 s', '2 h 5 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
