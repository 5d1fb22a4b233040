"""The beginning that every reproduction shares: a corpus named, and a folder that holds nothing but its preparation."""

from __future__ import annotations

from pathlib import Path

from audionas.errors import SettingsError
from audionas.experiment.run_folder import fresh_folder, refuse_occupied


def output_folder(out: Path | None, name: str, data: Path | None, *, is_smoke: bool) -> Path:
    """Where a reproduction goes; a folder that a stop left before the first step is taken again.

    Raises:
        SettingsError: no corpus is named, and it is no miniature.
        RunError: the folder holds another run.
    """
    if data is None and not is_smoke:
        raise SettingsError("name the corpus: --data FOLDER (without it only --smoke runs, on the shipped sample)")
    out = out or fresh_folder(name)
    if not (out.is_dir() and [path.name for path in out.iterdir()] == ["prepared"]):
        refuse_occupied(out)
    return out
