"""Reads the files of a run, strictly or for what is there: a damaged file is then left out and told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from audionas.errors import AudionasError, LogError, RunError
from audionas.records import parse_yaml, read_json

SCHEMA_VERSION = 1
JsonObject = dict[str, Any]
LogReader = Callable[[int | None], list[JsonObject]]  # takes how many lines to read, None for all

# What a value of another type than a file's form has leads to where it is used.
DATA_ERRORS = (AudionasError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


# Of a run record: a value of another type is left out, as all parts of a page read some of them.
_FORMS: dict[str, tuple[type, ...]] = {
    "kind": (str,), "status": (str,), "data": (dict,), "parts": (dict,), "versions": (dict,), "cost": (dict,),
    "features": (dict,), "machine": (dict,), "decided": (dict,), "limits": (dict,), "winner": (dict,), "plan": (dict,),
    "estimate": (dict,), "options": (dict,), "warnings": (list,), "notes": (list,), "splits": (list,), "argv": (list,),
    "streams": (list,), "seeds": (list,), "genotypes": (dict,), "restarts": (int,), "chosen_restart": (int,),
}  # fmt: skip


class RunReading:
    """How the files of a run are read.

    Args:
        faults: takes one line for each file that cannot be read, or not whole; None: such a file is an error.
    """

    def __init__(self, faults: list[str] | None = None) -> None:
        self.faults = faults

    def object(self, path: Path, what: str) -> JsonObject | None:
        """The JSON object in a file; None where there is no file, or none that can be read.

        Raises:
            AudionasError: it cannot be read, is none, or of another version (with `faults`: never).
        """
        if not path.exists():
            return None
        try:
            value = read_json(path, what)
            if not isinstance(value, dict):
                raise RunError(f"{path}: not a {what}: expected a JSON object, got {type(value).__name__}")
        except AudionasError as why:
            self._tell(why)
            return None
        version = value.get("schema_version", SCHEMA_VERSION)
        if version != SCHEMA_VERSION:
            self._tell(RunError(f"{path}: a {what} of version {version}; this audionas reads version {SCHEMA_VERSION}"))
        return value

    def record(self, path: Path) -> JsonObject | None:
        """A run record, as `object`, without values of another type than its keys have."""
        record = self.object(path, "run record")
        if record is None or self.faults is None:
            return record
        sound = {}
        for key, value in record.items():
            if value is None or isinstance(value, _FORMS.get(key, (object,))):
                sound[key] = value
            else:
                self.faults.append(f"{path}: {key}: left out, got {str(value)[:80]!r}, which is of another type")
        return sound

    def lines(self, read: LogReader) -> tuple[JsonObject, ...]:
        """The lines of a log; of a damaged one those before the damage.

        Raises:
            AudionasError: it is damaged (with `faults`: never).
        """
        n_lines: int | None = None
        while True:
            try:
                return tuple(read(n_lines))
            except LogError as why:
                if n_lines is None:
                    self._tell(why, f"; shown are the {why.n_sound} lines before it")
                n_lines = why.n_sound
            except AudionasError as why:
                self._tell(why)
                return ()

    def settings(self, path: Path) -> JsonObject:
        """The mapping of a YAML file; empty where there is none that can be read.

        Raises:
            AudionasError: it is damaged (with `faults`: never).
        """
        if not path.is_file():
            return {}
        try:
            return parse_yaml(path.read_text(encoding="utf-8"), str(path))
        except UnicodeDecodeError:
            self._tell(RunError(f"{path}: not text in UTF-8; restore the file"))
        except OSError as why:
            self._tell(RunError(f"{path}: cannot read this file ({why.strerror or why})"))
        except AudionasError as why:
            self._tell(why)
        return {}

    def optional(self, read: Callable[[], JsonObject | None]) -> JsonObject | None:
        """What a reader gives; None where its file is damaged.

        Raises:
            AudionasError: it is (with `faults`: never).
        """
        try:
            return read()
        except AudionasError as why:
            self._tell(why)
            return None

    def _tell(self, why: AudionasError, more: str = "") -> None:
        if self.faults is None:
            raise why
        self.faults.append(f"{why}{more}")


def kind_by_files(folder: Path) -> str:
    """The kind of a run whose record cannot be read, by the files that lie there; empty where none tells."""
    if any((folder / name).exists() for name in ("epochs.jsonl", "trials.jsonl", "space.yaml", "genotype.json")):
        return "search"
    if any(next(folder.glob(f"split_*/{name}"), None) for name in ("epochs.jsonl", "trials.jsonl", "space.yaml")):
        return "nested_search"
    if next(folder.glob("split_*/seed_*/history.jsonl"), None):
        return "retrain"
    if (folder / "tables.json").exists():
        return "reproduce"
    return "retrain" if (folder / "metrics.json").exists() else ""
