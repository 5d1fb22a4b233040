"""Runs parts of a longer work (streams, arms) side by side, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Sequence
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from audionas.errors import AudionasError, RunError
from audionas.experiment.talk import Silent, Talk

Work = Callable[[Path, str, Talk], None]


class _Lines(Silent):
    """Prints every line with the name of its part before it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def say(self, line: str) -> None:
        print(f"[{self._name}] {line}", file=sys.stderr, flush=True)

    def warn(self, line: str) -> None:
        self.say(f"warning: {line}")


def run_side_by_side(work: Work, out: Path, names: Sequence[str], n_at_once: int | None = None) -> None:
    """Call `work(out, name, talk)` for every name, each in its own process, and wait for all.

    Args:
        n_at_once: how many processes there are at a time; None is as many as names.

    Raises:
        RunError: one of them failed; the others have been waited for, so that no work is lost.
        KeyboardInterrupt: stopped; the processes are told to stop too.
    """
    context = multiprocessing.get_context("spawn")
    processes = {name: context.Process(target=_run, args=(work, out, name), name=name) for name in names}
    waiting, working = list(processes.values()), list[BaseProcess]()
    try:
        while waiting or working:
            while waiting and len(working) < (n_at_once or len(names)):
                working.append(waiting.pop(0))
                working[-1].start()
            connection.wait([process.sentinel for process in working])
            working = [process for process in working if process.is_alive()]
    except KeyboardInterrupt:
        for process in working:
            process.terminate()
            process.join()
        raise
    failed = [name for name, process in processes.items() if process.exitcode]
    if failed:
        raise RunError(f"{out}: {' and '.join(failed)} failed (see the lines above); mend it and go on with --resume")


def _run(work: Work, out: Path, name: str) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        work(out, name, _Lines(name))
    except AudionasError as why:
        print(f"audionas: {name}: {why}", file=sys.stderr, flush=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _end_with_parent() -> None:
    """End this process when its parent was killed: who resumes the work must not meet another at it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
