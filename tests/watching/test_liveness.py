"""Whether somebody works on a run: told from the lock, which is left as it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from filelock import FileLock

from audionas.watching import liveness
from audionas.watching.liveness import is_worked_on
from tests.watching.small_runs import hold


def test_a_run_without_a_lock_file_has_not_been_begun(tmp_path: Path) -> None:
    assert is_worked_on(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("has_table", [True, False])
def test_a_held_lock_is_seen_and_a_free_one_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_table: bool
) -> None:
    if not has_table:
        monkeypatch.setattr(liveness, "LOCKS", tmp_path / "no_table")
    lock = hold(tmp_path)
    assert is_worked_on(tmp_path) is True
    lock.release()
    assert is_worked_on(tmp_path) is False


def test_looking_neither_takes_nor_changes_the_lock(tmp_path: Path) -> None:
    hold(tmp_path).release()
    before = (tmp_path / ".lock").stat()
    assert is_worked_on(tmp_path) is False
    FileLock(tmp_path / ".lock").acquire(timeout=0).lock.release()
    assert (tmp_path / ".lock").stat().st_ino == before.st_ino


def test_a_lock_that_cannot_be_read_is_not_called_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    assert is_worked_on(tmp_path) is True
