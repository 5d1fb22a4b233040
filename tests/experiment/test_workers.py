"""Work side by side: a part that fails is named, and a kill leaves no process behind."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from audionas.errors import RunError
from audionas.experiment.talk import Talk
from audionas.experiment.workers import run_side_by_side


def _fails(out: Path, name: str, _: Talk) -> None:
    if name == "bad":
        raise RunError("no such thing")
    (out / name).touch()


def test_a_worker_that_fails_is_named_and_the_others_end(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RunError, match="bad failed"):
        run_side_by_side(_fails, tmp_path, ["bad", "good", "fine"], 1)
    assert {path.name for path in tmp_path.iterdir()} == {"good", "fine"}
    assert "audionas: bad: no such thing" in capfd.readouterr().err


def _sleeps(out: Path, name: str, _: Talk) -> None:
    (out / name).write_text(str(os.getpid()))
    time.sleep(600)


def _parent(out: Path) -> None:
    run_side_by_side(_sleeps, out, ["a", "b"])


def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    """Else the trainings of a killed run would go on beside those of `--resume`."""
    parent = multiprocessing.get_context("spawn").Process(target=_parent, args=(tmp_path,))
    parent.start()
    until = time.monotonic() + 120
    while len([path for path in tmp_path.iterdir() if path.read_text()]) < 2:
        assert time.monotonic() < until
        time.sleep(0.05)
    workers = [psutil.Process(int((tmp_path / name).read_text())) for name in ("a", "b")]
    assert parent.pid is not None
    os.kill(parent.pid, signal.SIGKILL)
    parent.join()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert alive == []
