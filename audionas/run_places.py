"""Where things lie: runs inside a folder that is itself no run of the kind asked for, and what is kept between runs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from audionas.errors import AudionasError
from audionas.records import read_json

RUN_FILE = "run.json"
FRONT = "front"  # genotypes of a search with several objectives, inside its folder
RANKING = "ranking"  # of the genotypes of a search, inside its folder
BASELINES_RETRAINED = "baselines_retrained"  # hand-made systems on the clips and folds of a run, inside its folder
_DEPTH = 2  # a reproduction holds its streams' runs two folders down
_SHOWN = 8


def cache_root() -> Path:
    """What is kept between runs (corpora given without a place, kernels): `$AUDIONAS_CACHE`, else ~/.cache/audionas."""
    return Path(os.environ.get("AUDIONAS_CACHE") or Path.home() / ".cache" / "audionas")


def no_run_here(folder: Path, kinds: Sequence[str] = ()) -> str:
    """The error text for a folder without a run file; names the runs of these kinds (none: of any) inside it."""
    return f"{folder}: no run here ({RUN_FILE} is missing){runs_hint(folder, kinds)}"


def restart_folder(number: int) -> str:
    """Name of the folder of a search's restart, counted from 1."""
    return f"restart_{number}"


def run_of_genotype(file: Path) -> Path:
    """The run folder that a genotype file lies in, directly or as one of its front."""
    folder = file.parent
    return folder.parent if folder.name == FRONT and (folder.parent / RUN_FILE).is_file() else folder


def course_folder(run: Path, record: Mapping[str, Any]) -> Path:
    """Where the epochs or trials behind a search's genotype are logged: the run itself, or one of its restarts.

    Args:
        run: the search's folder.
        record: its `run.json`; before a restart is chosen, it is the first one's folder.
    """
    return run / restart_folder(record.get("chosen_restart", 1)) if record.get("restarts") else run


def runs_hint(folder: Path, kinds: Sequence[str] = ()) -> str:
    """The end of an error text: the runs of these kinds (none: of any) inside a folder, or nothing.

    The parts and restarts of a search are not named beside the search itself.
    """
    found = [path.relative_to(folder).as_posix() for path in _below(folder, _DEPTH) if _is_of(path, kinds)]
    if not found:
        return ""
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return f"; runs inside it: {', '.join(found[:_SHOWN])}{more}"


def _below(folder: Path, depth: int) -> Iterator[Path]:
    for path in sorted(path for path in folder.glob("*") if path.is_dir()):
        if (path / RUN_FILE).is_file():
            yield path
        elif depth > 1:
            yield from _below(path, depth - 1)


def _is_of(run: Path, kinds: Sequence[str]) -> bool:
    try:
        record = read_json(run / RUN_FILE, "run file")
    except AudionasError:
        return False
    return isinstance(record, dict) and (not kinds or record.get("kind") in kinds)
