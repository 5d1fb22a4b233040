"""How the command line talks: bars on a terminal, plain lines elsewhere; all of it on stderr."""

from __future__ import annotations

import json
import os
import sys
import time
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from audionas.errors import RunError

PLAIN_EVERY_S = 10.0


class ConsoleTalk:
    """A `Talk` on stderr; use as a context so that a bar is closed before the result is printed."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._quiet = quiet
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._what = ""
        self._said_at = time.monotonic()

    def __enter__(self) -> ConsoleTalk:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def say(self, line: str) -> None:
        """One line."""
        if not self._quiet:
            self._console.print(line, markup=False)

    def warn(self, line: str) -> None:
        """One line that must not be overlooked."""
        self._console.print(f"warning: {line}", style="yellow", markup=False)

    def progress(self, what: str, done: int, total: int) -> None:
        """A bar on a terminal; elsewhere a line every ten seconds."""
        if self._quiet:
            return
        if not self._console.is_terminal:
            if time.monotonic() - self._said_at > PLAIN_EVERY_S:
                self._said_at = time.monotonic()
                self.say(f"{what}: {done}/{total}")
            return
        if self._bar is None:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
            )
            self._bar = Progress(*columns, console=self._console, transient=True)
            self._bar.start()
        if what != self._what or self._task is None:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._what, self._task = what, self._bar.add_task(what, total=total)
        self._bar.update(self._task, completed=done, total=total)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def stopped(command: str, why: KeyboardInterrupt) -> str:
    """What to do after Ctrl-C."""
    run = getattr(why, "path", None)
    if run is None:
        return "stopped before the run began; give the same command again, what was prepared is kept"
    return f"stopped; all work is kept, go on with: audionas {command} --resume {run}"


def print_result(lines: list[str], record: dict[str, Any], *, as_json: bool) -> None:
    """The result of a command, on stdout: lines for a person, or one JSON document.

    Raises:
        RunError: it cannot be written; of a reader that has gone away nothing is said.
    """
    try:
        print(json.dumps(record, ensure_ascii=False) if as_json else "\n".join(lines))
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has read enough
        _close_stdout()
    except OSError as why:
        _close_stdout()
        raise RunError(f"standard output: cannot write ({why.strerror or why}); free space or print elsewhere") from why


def _close_stdout() -> None:
    """Let nothing try again to write what is left, as Python does when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
