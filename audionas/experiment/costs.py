"""What a result cost altogether: its own run, and the searches that its genotypes come from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from audionas.experiment.run_folder import RUN_FILE, RunFolder
from audionas.run_places import run_of_genotype
from audionas.training.ledger import summed


def search_cost(genotypes: Iterable[Path]) -> dict[str, Any] | None:
    """The cost of the searches beside these genotype files, each once; None if one has no run beside it."""
    folders = sorted({run_of_genotype(path.resolve()) for path in genotypes})
    if any(not (folder / RUN_FILE).is_file() for folder in folders):
        return None
    return summed([RunFolder.open(folder).record["cost"] for folder in folders])


def total_cost(record: dict[str, Any]) -> dict[str, Any]:
    """Search, selection, tuning and retraining together, from the `run.json` of a retraining or of any other run.

    `search_is_known` is false where a genotype came as a file without its run.
    """
    search = record.get("search_cost")
    is_known = record["kind"] != "retrain" or search is not None
    return {**summed([record["cost"], *([search] if search else [])]), "search_is_known": is_known}
