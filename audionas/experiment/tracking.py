"""Tells the trackers of a run what its own files hold: epochs, trials, trainings, and the scores at the end.

A tracker that fails is left with one warning; it never stops a run. What a resumed run needs to go on in the same
tracker runs is in `trackers/runs.json`; the names of the trackers are in `run.json`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from audionas.errors import AudionasError
from audionas.experiment.run_folder import RunFolder
from audionas.experiment.talk import Talk
from audionas.experiment.tracked_values import end_files, end_numbers, flat_numbers, run_settings
from audionas.quiet_libraries import quietly
from audionas.records import read_json, write_json
from audionas.training.trackers import TRACKERS, Tracker, checked_trackers

FOLDER = "trackers"
_RUNS = "runs.json"


class Tracking:
    """The trackers of one run; without any, all of it does nothing."""

    def __init__(self, run: RunFolder | None = None, talk: Talk | None = None) -> None:
        self._run, self._talk = run, talk
        self._trackers: dict[str, Tracker] = {}
        self._has_settings = False

    @property
    def is_on(self) -> bool:
        """Whether anybody listens."""
        return bool(self._trackers)

    def open(self) -> None:
        """Open the trackers that the run's record names, those of a resumed run where they were."""
        if self._run is None:
            return
        path = self._run.path / FOLDER / _RUNS
        try:
            known = read_json(path, "list of tracker runs") if path.exists() else {}
        except AudionasError as why:
            self._warn(f"{why}; its trackers begin new runs")
            known = {}
        for name in self._run.record.get("trackers") or []:
            self._guarded(name, lambda name=name: self._open(name, known.get(name) or {}))  # type: ignore[misc]
        if self._trackers:
            write_json(path, {**known, **{name: each.identity for name, each in self._trackers.items()}})

    def _open(self, name: str, identity: Mapping[str, str]) -> None:
        assert self._run is not None
        checked_trackers([name])
        place = self._run.path / FOLDER
        self._trackers[name] = TRACKERS[name](place, self._run.path.resolve().name, identity)

    def log(self, where: Path, record: Mapping[str, Any], step: int, more: str = "") -> None:
        """The numbers of a record, under the place of its run inside the run that is tracked.

        Args:
            where: folder of the run, or of the training, that the record is of.
            more: a further name before each.
        """
        if not self._trackers or self._run is None:
            return
        self._tell_settings()
        inside = where.resolve().relative_to(self._run.path.resolve()).as_posix()
        prefix = "" if inside == "." else f"{inside}/"
        numbers = flat_numbers(record, f"{prefix}{more}/" if more else prefix)
        self._each(lambda tracker: tracker.log(numbers, step))

    def end(self, status: str) -> None:
        """The last numbers and files of a run that is done, then close every tracker."""
        if not self._trackers or self._run is None:
            return
        run = self._run.path
        self._tell_settings()
        if status == "done":
            numbers, texts = end_numbers(run)
            if numbers:
                self._each(lambda tracker: tracker.log(numbers, 0))
            if texts:
                self._each(lambda tracker: tracker.settings(texts))
            for name, path in end_files(run).items():
                self._each(lambda tracker, name=name, path=path: tracker.file(path, name))  # type: ignore[misc]
        self._each(lambda tracker: tracker.close(status))
        self._trackers = {}

    def _tell_settings(self) -> None:
        """With the first numbers, when the search's plan is made."""
        if not self._has_settings and self._run is not None:
            self._has_settings = True
            values = run_settings(self._run.path)
            self._each(lambda tracker: tracker.settings(values))

    def _each(self, call: Callable[[Tracker], None]) -> None:
        for name in list(self._trackers):
            self._guarded(name, lambda name=name: call(self._trackers[name]))  # type: ignore[misc]

    def _guarded(self, name: str, call: Callable[[], None]) -> None:
        try:
            with quietly("urllib3", "mlflow", "alembic"):
                call()
        except Exception as why:  # noqa: BLE001 of whatever a tracker's client raises none may stop a run
            self._trackers.pop(name, None)
            reason = re.sub(r"//[^/@\s]*@", "//", " ".join(str(why).split()))[:300] or type(why).__name__
            self._warn(f"tracker {name} failed and is left ({reason}); the run goes on, its own files hold everything")

    def _warn(self, line: str) -> None:
        if self._run is not None:
            self._run.warn(line)
        if self._talk is not None:
            self._talk.warn(line)


_NOBODY = Tracking()
_active: ContextVar[Tracking] = ContextVar("tracking", default=_NOBODY)


def tracking() -> Tracking:
    """The trackers of the run that is being worked on; those of nobody outside of one."""
    return _active.get()


@contextmanager
def tracked(run: RunFolder, talk: Talk) -> Iterator[None]:
    """Open the trackers of a run, and close them as it ends."""
    found = Tracking(run, talk)
    found.open()
    token = _active.set(found)
    try:
        yield
    except KeyboardInterrupt:
        found.end("interrupted")
        raise
    except Exception:
        found.end("failed")
        raise
    else:
        found.end("done")
    finally:
        _active.reset(token)


__all__ = ["Tracking", "checked_trackers", "tracked", "tracking"]
