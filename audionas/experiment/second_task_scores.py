"""Scores of a second task on the test clips: in the folders of the folds, in `metrics.json`, on the screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from audionas.audio.folds import OuterSplit, split_folder
from audionas.audio.manifest import Manifest
from audionas.experiment.figures import Findings
from audionas.experiment.score_means import mean_scores
from audionas.experiment.verify_predictions import verify_table
from audionas.records import read_json
from audionas.training.metrics import ClassificationMetrics, classification_metrics
from audionas.training.predictions import Predictions, joined
from audionas.training.second_task import known_rows, second_manifest

TABLE = "second_task.csv"
WHAT = (
    "scores of the second task, pooled over the test clips of the headline's folds whose second class is known; mean "
    "and sd over seeds"
)


def second_record(column: str, found: Predictions | None) -> dict[str, Any]:
    """What `result.json` says of the second task: scores of the test clips, None where none has a second class."""
    if found is None:
        return {"column": column, "n_clips": 0, "ua": None, "wa": None}
    scores = _metrics(found).scores
    return {"column": column, "n_clips": len(found.clips), "ua": scores["ua"], "wa": scores["wa"]}


def second_task_metrics(run: Path, splits: Sequence[str], seeds: Sequence[int]) -> dict[str, Any]:
    """`second_task` for `metrics.json` from the tables of the folds; empty where no network had a second task.

    Args:
        splits: those of the headline.
    """
    places = {(name, seed): run / split_folder(name) / f"seed_{seed}" for name in splits for seed in seeds}
    results = [read_json(place / "result.json", "result").get("second_task") for place in places.values()]
    if not results or results[0] is None:
        return {}
    found = {key: Predictions.read(place / TABLE) for key, place in places.items() if (place / TABLE).is_file()}
    column = results[0]["column"]
    document: dict[str, Any] = {"what": WHAT, "column": column, "splits": list(splits), "seeds": list(seeds)}
    if not found:
        return {"second_task": {**document, "n_clips": 0, "per_fold": []}}
    each = [[table for (_, own), table in found.items() if own == seed] for seed in seeds]
    records = [_metrics(joined(tables, "test")).as_record() for tables in each]
    folds = [{"split": name, "seed": seed, **second_record(column, table)} for (name, seed), table in found.items()]
    labels = next(iter(found.values())).labels
    document |= {"labels": list(labels), "n_clips": records[0]["n_clips"], **mean_scores(records), "per_fold": folds}
    return {"second_task": document}


def second_task_lines(metrics: Mapping[str, Any]) -> list[str]:
    """One line for a person; none without a second task."""
    found = metrics.get("second_task")
    if not found:
        return []
    if not found["n_clips"]:
        return [f"second task ({found['column']}): no test clip has a value, so there is no score"]
    scores = ", ".join(f"{name.upper()} {found[name]:.3f}{_sd(found[f'{name}_sd'])}" for name in ("ua", "wa"))
    return [f"second task ({found['column']}: {', '.join(found['labels'])}): {scores}, {found['n_clips']} clips"]


def verify_second_task(
    run: Path,
    name: str,
    manifest: Manifest,
    splits: Sequence[OuterSplit],
    stored: Mapping[str, Any],
    findings: Findings,
) -> None:
    """The tables of the second task hold the test clips whose second class is known, as the manifest has it."""
    found = stored.get("second_task")
    if not found or not found["n_clips"]:
        return
    column, labels = found["column"], found["labels"]
    whole = second_manifest(manifest, column, labels, range(len(manifest)))
    for split in splits:
        tested = {manifest.clips[row].clip for row in known_rows(manifest, column, labels, split.test)}
        for seed in found["seeds"] if tested else ():
            place = f"{split_folder(split.name)}/seed_{seed}/{TABLE}"
            verify_table(run / place, f"{name}/{place}", whole, tested, findings)


def _metrics(found: Predictions) -> ClassificationMetrics:
    return classification_metrics(found.truth, found.scores.argmax(axis=1), found.labels)


def _sd(spread: float | None) -> str:
    return f" +- {spread:.3f}" if spread is not None else ""
