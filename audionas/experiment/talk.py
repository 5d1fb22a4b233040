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
