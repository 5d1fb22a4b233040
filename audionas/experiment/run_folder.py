"""A run folder: `run.json` from before the first step, a lock while it is worked on, names of its files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from audionas.errors import AudionasError, RunError
from audionas.experiment.machine import machine, versions
from audionas.records import read_json, write_json, writing
from audionas.run_places import RUN_FILE, no_run_here, runs_hint
from audionas.training.ledger import Ledger, cost_record

SCHEMA_VERSION = 1
# What a kind of run does.
_STEPS = {
    "nested_search": "search", "pretrain": "pre-training", "retrain": "retraining", "evaluate": "evaluation",
    "fuse": "fusion",
}  # fmt: skip
# What each run says of itself alone, and a run inside another one does not take over.
OWN_FIELDS = (
    "schema_version", "kind", "status", "created", "argv", "command", "versions", "machine", "cost", "warnings",
    "splits", "error", "trackers",
)  # fmt: skip


class RunInterrupted(KeyboardInterrupt):
    """The user stopped a run that can be resumed."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.path = path


class RunFolder:
    """One run; `record` is the content of its `run.json`."""

    def __init__(self, path: Path, record: dict[str, Any]) -> None:
        self.path, self.record = path, record

    @staticmethod
    def create(path: Path, kind: str, argv: list[str], **fields: Any) -> RunFolder:
        """Write `run.json`, the last file of a run's start: a folder without it is no run.

        Raises:
            RunError: the folder cannot be written.
        """
        record = {
            "schema_version": SCHEMA_VERSION,
            "kind": kind,
            "status": "running",
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "argv": argv,
            "command": " ".join(["audionas", *map(_quoted, argv)]),
            "versions": versions(),
            "machine": machine(str(fields.get("device", "cpu"))),
            "cost": cost_record({}),
            "warnings": [],
            **fields,
        }
        run = RunFolder(path, record)
        run.save()
        return run

    @staticmethod
    def open(path: Path, *kinds: str) -> RunFolder:
        """The run in a folder.

        Raises:
            RunError: there is none, it is damaged, of a newer version, or of another kind; with the runs of these
                kinds that lie inside the folder.
        """
        if not path.is_dir():
            raise RunError(f"{path}: no such run folder")
        if not (path / RUN_FILE).exists():
            raise RunError(no_run_here(path, kinds))
        try:
            record = read_json(path / RUN_FILE, "run file")
        except AudionasError as why:
            raise RunError(f"{why}; is {path} a run folder?") from why
        if not isinstance(record, dict) or record.get("schema_version") != SCHEMA_VERSION:
            raise RunError(
                f"{path / RUN_FILE}: not a run of version {SCHEMA_VERSION} (damaged, or from a newer audionas)"
            )
        if kinds and record.get("kind") not in kinds:
            given, accepted = record.get("kind"), " or ".join(kinds)
            raise RunError(f"{path}: is a {given} run, expected {accepted}{runs_hint(path, kinds)}")
        cost = record.get("cost")
        if not isinstance(record.get("status"), str) or not isinstance(cost, dict) or "seconds" not in cost:
            raise RunError(f"{path / RUN_FILE}: damaged: status or cost is missing; start the run anew")
        record.setdefault("warnings", [])
        return RunFolder(path, record)

    def save(self, **changes: Any) -> None:
        """Change fields and write `run.json` atomically."""
        self.record.update(changes)
        write_json(self.path / RUN_FILE, self.record)

    def warn(self, line: str) -> None:
        """Keep a warning; the report shows it."""
        if line not in self.record["warnings"]:
            self.save(warnings=[*self.record["warnings"], line])

    @contextmanager
    def working(self) -> Iterator[None]:
        """Hold the run while it is worked on; its status says how that ended, its cost how long it took.

        Raises:
            RunError: another process works on it.
        """
        with writing(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.path / ".lock")
            try:
                lock.acquire(timeout=0)
            except Timeout as why:
                raise RunError(f"{self.path}: another process is working on this run; wait for it, or stop it") from why
        ledger = Ledger(
            _STEPS.get(self.record["kind"], self.record["kind"]),
            str(self.record.get("device", "cpu")),
            self.record["cost"],
            lambda cost: self.save(cost=cost),
        )

        def end(status: str, **more: Any) -> None:
            self.save(status=status, cost=ledger.record(), **more)

        try:
            self.record.pop("error", None)
            self.save(status="running")
            with ledger.working():
                yield
            end("done")
        except KeyboardInterrupt as why:
            end("interrupted")
            raise RunInterrupted(self.path) from why
        except Exception as why:
            end("failed", error=str(why) if isinstance(why, AudionasError) else repr(why))
            raise
        finally:
            lock.release()


def refuse_occupied(path: Path) -> None:
    """Refuse an output place that is a file or holds anything.

    Raises:
        RunError: it does, or it cannot be looked into.
    """
    if path.is_file():
        raise RunError(f"{path}: is a file; choose another --out")
    if (path / RUN_FILE).exists():
        raise RunError(f"{path}: holds another run; choose another --out, or go on with --resume {path}")
    with writing(path):
        if path.is_dir() and any(path.iterdir()):
            raise RunError(f"{path}: is not empty; choose another --out")


def fresh_folder(name: str) -> Path:
    """`runs/<date>-<name>`, numbered when there is one already."""
    base = Path("runs") / f"{datetime.now():%Y-%m-%d}-{name}"
    number, path = 1, base
    while path.exists():
        number += 1
        path = base.with_name(f"{base.name}-{number}")
    return path


def _quoted(word: str) -> str:
    import shlex

    return shlex.quote(word)


__all__ = ["OWN_FIELDS", "RUN_FILE", "SCHEMA_VERSION", "RunFolder", "RunInterrupted", "fresh_folder", "refuse_occupied"]
