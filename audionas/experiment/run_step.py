"""`run_step`: one ordinary run as a step of a longer work, started, or gone on with after a stop."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from audionas.experiment.run_folder import RUN_FILE
from audionas.experiment.talk import Talk


def run_step(place: Path, start: Callable[[Path], Any], go_on: Callable[[Path, Talk], Any], talk: Talk) -> None:
    """Start a run, or go on with it; what a kill left before the run had begun is removed."""
    if (place / RUN_FILE).exists():
        go_on(place, talk)
        return
    shutil.rmtree(place, ignore_errors=True)
    start(place)


def words(flags: Mapping[str, object]) -> list[str]:
    """Flags as the command line would have them; those without a value are left out."""
    return [word for flag, value in flags.items() if value is not None for word in (flag, str(value))]
