"""A run's logs, predictions and scores as data frames; columns are named as in the files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from audionas.audio.manifest import read_table
from audionas.errors import RunError
from audionas.report.run_files import RunFiles, SearchRun
from audionas.report.trials import TrialLine, trial_lines
from audionas.training.measures import measures_of
from audionas.training.predictions import read_predictions

_NUMBERS = ("p:", "t:", "y:")  # columns of a predictions table that hold numbers
THIS_NETWORK = "this network"


def trials(files: RunFiles) -> pd.DataFrame:
    """One row a trial; with `split` where the search is nested."""
    keys = [measure.key for measure in measures_of(files.data)]
    rows = [
        _split(files, search) | row
        for search in files.searches
        for row in _trial_rows(trial_lines(search.trials), search, keys)
    ]
    return pd.DataFrame(rows)


def _trial_rows(lines: Sequence[TrialLine], search: SearchRun, keys: Sequence[str]) -> Iterator[dict[str, Any]]:
    choices = {event["number"]: event.get("sample") or {} for event in search.trials if event["event"] == "proposed"}
    for line in lines:
        yield {
            "number": line.number,
            "status": line.status,
            keys[0]: line.ua,
            keys[1]: line.wa,
            "loss": line.loss,
            "balanced_loss": line.balanced_loss,
            "parameters": line.parameters,
            "seconds": line.seconds,
            "epochs": line.epochs,
            "fraction": line.fraction,
            "epoch": line.epoch,
            "hash": line.genotype_hash,
            "error": line.error,
            **line.costs,
            **{f"choice.{label}": option for label, option in choices.get(line.number, {}).items()},
        }


def search_epochs(files: RunFiles) -> pd.DataFrame:
    """One row an epoch of the supernet, of what is one number or word; with `split` where the search is nested."""
    return pd.DataFrame([
        _split(files, search) | _plain(epoch) for search in files.searches for epoch in search.epochs
    ])  # fmt: skip


def training_epochs(files: RunFiles) -> pd.DataFrame:
    """One row an epoch of every training of a retraining."""
    retraining = files.retraining
    histories = retraining.histories if retraining else ()
    rows = [
        {"split": history.split, "seed": history.seed, "epoch": number} | _plain(epoch)
        for history in histories
        for number, epoch in enumerate(history.epochs)
    ]
    return pd.DataFrame(rows)


def predictions(folder: Path) -> pd.DataFrame:
    """All predictions of a retraining or a fusion, with split and seed.

    Raises:
        RunError: there are none, or a table is damaged.
    """
    parts = []
    for path in sorted(folder.glob("split_*/seed_*/predictions.csv")):
        read_predictions(path)  # refuses a damaged table
        table = read_table(path)
        numbers = [name for name in table.columns if str(name).startswith(_NUMBERS)]
        table[numbers] = table[numbers].apply(pd.to_numeric)
        seed = int(path.parent.name.removeprefix("seed_"))
        table.insert(0, "split", path.parent.parent.name.removeprefix("split_"))
        table.insert(1, "seed", seed)
        parts.append(table)
    if not parts:
        raise RunError(f"{folder}: there are no predictions yet; go on with the run, or retrain")
    return pd.concat(parts, ignore_index=True)


def scores(metrics: Mapping[str, Any]) -> pd.DataFrame:
    """One row a system, indexed by its name: the network's headline, all folds, and what stands beside it."""
    found = metrics.get("headline") or metrics.get("all_splits") or {}
    if "rows" in found:  # a fusion
        rows = {str(row["name"]): row for row in found["rows"]}
    else:
        rows = {THIS_NETWORK: {**found, "parameters": metrics.get("parameters")}} | {
            str(row["name"]): row for row in (metrics.get("baselines") or {}).get("headline") or ()
        }
        if metrics.get("all_splits") and metrics.get("headline"):
            rows["this network, folds seen by the search included"] = metrics["all_splits"]
    keys = [measure.key for measure in measures_of(metrics)]
    table = pd.DataFrame([_score_row(row, keys) for row in rows.values()], index=list(rows), dtype=float)
    return table.rename_axis("system")


def _score_row(row: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    cells: dict[str, Any] = {}
    for key in keys:
        low, high = row.get(f"{key}_interval") or (None, None)
        cells |= {key: row.get(key), f"{key}_sd": row.get(f"{key}_sd"), f"{key}_low": low, f"{key}_high": high}
    parameters = row.get("parameters")  # of a fusion those of the streams beside its own
    total = parameters["total"] if isinstance(parameters, dict) else parameters
    return cells | {"p": (row.get("chance") or {}).get("p"), "parameters": total}


def _split(files: RunFiles, search: SearchRun) -> dict[str, Any]:
    return {"split": search.split} if files.is_nested else {}


def _plain(epoch: Mapping[str, Any]) -> dict[str, Any]:
    """What of a log's line is a number or a word; entropies under names of their own."""
    plain = {key: value for key, value in epoch.items() if isinstance(value, int | float | str | None)}
    return plain | {f"entropy.{kind}": value for kind, value in (epoch.get("entropy") or {}).items()}
