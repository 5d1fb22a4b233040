"""Runs with scores: a retraining or a fusion that is done, also named by the folder of the search behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audionas.errors import RunError
from audionas.experiment.run_folder import RUN_FILE, RunFolder
from audionas.records import read_json

SCORED = ("retrain", "fuse")
SEARCHES = ("search", "nested_search")


@dataclass(frozen=True)
class FinishedRun:
    """A retraining or a fusion; `given` is the folder that the user named."""

    given: Path
    path: Path
    record: Mapping[str, Any]
    metrics: Mapping[str, Any]

    @property
    def is_fusion(self) -> bool:
        """Whether several streams stand behind the scores."""
        return bool(self.record["kind"] == "fuse")

    @property
    def scores(self) -> Mapping[str, Any]:
        """The headline; where the search has read every test fold, the scores over all folds."""
        found: Mapping[str, Any] = self.metrics["headline"] or self.metrics["all_splits"]
        return found


def finished_run(path: Path) -> FinishedRun:
    """The scored run in a folder, or in `retrained` of a search.

    Raises:
        RunError: there is none, it is not done, or a search holds several.
    """
    run = RunFolder.open(path, *SCORED, *SEARCHES)
    if run.record["kind"] in SEARCHES:
        inside = sorted(place for place in path.glob("retrained*") if (place / RUN_FILE).exists())
        if len(inside) != 1:
            found = f"{len(inside)} retrainings ({', '.join(place.name for place in inside)}); name one of them"
            raise RunError(f"{path}: holds {found if inside else f'no retraining; run audionas retrain {path}'}")
        run = RunFolder.open(inside[0], "retrain")
    if run.record["status"] != "done":
        raise RunError(f"{run.path}: this run is not finished ({run.record['status']}); resume it first")
    return FinishedRun(path, run.path, run.record, read_json(run.path / "metrics.json", "metrics file"))


def searches_behind(run: FinishedRun) -> list[Path] | None:
    """The folders of the searches that found a retraining's genotypes; None if one of them is not there."""
    found: list[Path] = []
    for text in run.record["genotypes"].values():
        folder = Path(text).parent
        whole = folder.parent if _kind(folder.parent) == "nested_search" else folder
        if _kind(whole) not in SEARCHES:
            return None
        if whole not in found:
            found.append(whole)
    return found


def _kind(folder: Path) -> str:
    return str(read_json(folder / RUN_FILE, "run file").get("kind")) if (folder / RUN_FILE).is_file() else ""
