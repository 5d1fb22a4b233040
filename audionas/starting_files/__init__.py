"""Commented YAML files to begin a space or a strategy with."""

from __future__ import annotations

import re
from pathlib import Path

from audionas import shipped
from audionas.errors import RunError, SettingsError, unknown
from audionas.records import write_text
from audionas.starting_files.space_text import space_text
from audionas.starting_files.strategy_text import strategy_text

DEFAULT_KIND = "cnn_cell"
DEFAULT_ALGORITHM = "regularized_evolution"
_SHELVES: dict[str, shipped.Shelf] = {"space": "search_spaces", "strategy": "strategies"}
_NAME = r"[a-z0-9][a-z0-9_-]{0,63}"


def starting_text(what: str, name: str, kind: str | None, algorithm: str | None) -> str:
    """The text of a file that `audionas check` accepts.

    Raises:
        SettingsError: `what` is neither space nor strategy, the name cannot be one, or there is no such kind or
            algorithm.
    """
    if what not in _SHELVES:
        raise SettingsError(unknown("starting file", what, _SHELVES))
    if not re.fullmatch(_NAME, name):
        raise SettingsError(
            f"name {name!r}: must be small letters, digits, _ and -, at most 64, and begin with a letter or a digit"
        )
    if name in shipped.names(_SHELVES[what]):
        raise SettingsError(f"name {name!r}: is a shipped {what}, which would be taken in its place; choose another")
    if what == "space":
        if algorithm is not None:
            raise SettingsError("--algorithm: is for a strategy; a space has a --kind")
        return space_text(name, DEFAULT_KIND if kind is None else kind)
    if kind is not None:
        raise SettingsError("--kind: is for a space; a strategy has an --algorithm")
    return strategy_text(name, DEFAULT_ALGORITHM if algorithm is None else algorithm)


def write_starting_file(
    what: str, name: str, kind: str | None = None, algorithm: str | None = None, out: Path | None = None
) -> Path:
    """Write a starting file, by default `NAME.yaml` in the working folder; returns the file.

    Raises:
        SettingsError: as `starting_text`; or the file has another name or no YAML's ending.
        RunError: there is a file already, or it cannot be written.
    """
    file = Path(f"{name}.yaml") if out is None else out
    text = starting_text(what, name, kind, algorithm)
    if file.suffix not in (".yaml", ".yml") or file.stem != name:
        raise SettingsError(f"--out {file}: must end in {name}.yaml, since the name of a {what} is that of its file")
    if file.exists():
        raise RunError(f"{file}: there is a file already; choose another name, or remove it")
    write_text(file, text)
    return file


__all__ = ["DEFAULT_ALGORITHM", "DEFAULT_KIND", "starting_text", "write_starting_file"]
