"""Work in processes of their own that can be killed, each forked from one that has imported everything already.

Importing torch and NNI takes a new interpreter ten seconds; a fork has them at once. The server from which the forks
come is a clean interpreter, not the one of the tests, and starts with the first fork.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing import forkserver
from pathlib import Path
from unittest.mock import patch

ROOT = Path(__file__).parents[1]
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([
    "audionas.cli", "audionas.experiment.search", "audionas.experiment.retrain", "audionas.experiment.rank",
    "audionas.search.one_shot", "audionas.search.multi_trial", "audionas.features.cache", "nni.nas.strategy",
    "sklearn.linear_model",
])  # fmt: skip


class Forked:
    """A process that calls `target(*args)`; what it prints lies in the files `out` and `err`."""

    def __init__(self, folder: Path, target: Callable[..., object], *args: object) -> None:
        number = len(list(folder.glob("*.out")))
        self.out, self.err = folder / f"{number}.out", folder / f"{number}.err"
        for path in (self.out, self.err):
            path.touch()
        with patch.dict(os.environ, PYTHONPATH=str(ROOT)):
            forkserver.ensure_running()
        self._process = _CONTEXT.Process(target=_work, args=(dict(os.environ), self.out, self.err, target, args))
        self._process.start()

    @property
    def is_running(self) -> bool:
        """Whether it goes on."""
        return self._process.is_alive()

    def wait_for_lines(self, log: Path, n_lines: int) -> None:
        """Return when a file has so many lines; fails if the process ends before."""
        while not (log.exists() and log.read_bytes().count(b"\n") >= n_lines):
            assert self.is_running, f"it ended before {log.name} had {n_lines} lines: {self.err.read_text()}"
            time.sleep(0.005)

    def kill(self) -> int:
        """SIGKILL; what `finish` gives: 0 if it had ended."""
        self._process.kill()
        return self.finish()

    def finish(self, timeout_s: float = 240.0) -> int:
        """Wait until it ends; its exit status, or the negative number of the signal that ended it."""
        self._process.join(timeout_s)
        assert self._process.exitcode is not None, f"still running after {timeout_s} s"
        return self._process.exitcode


def forked_command(folder: Path, *words: str | Path, dies_at_save: int = 0) -> Forked:
    """`audionas WORDS`; with `dies_at_save` n it dies by SIGKILL in the middle of the n-th write of a checkpoint."""
    return Forked(folder, _command, list(map(str, words)), dies_at_save)


def _work(
    environment: dict[str, str], out: Path, err: Path, target: Callable[..., object], args: tuple[object, ...]
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    for path, handle in ((out, 1), (err, 2)):
        with path.open("ab") as stream:
            os.dup2(stream.fileno(), handle)
    target(*args)


def _command(words: list[str], dies_at_save: int) -> None:
    from audionas.cli import main

    if dies_at_save:
        _die_at_save(dies_at_save)
    sys.argv = ["audionas", *words]
    main()


def _die_at_save(number: int) -> None:
    real, count = Path.write_bytes, 0

    def write_bytes(self: Path, data: bytes) -> int:
        nonlocal count
        count += "last.pt" in self.name
        if "last.pt" in self.name and count == number:
            real(self, data[: len(data) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return real(self, data)

    Path.write_bytes = write_bytes  # type: ignore[method-assign, assignment]
