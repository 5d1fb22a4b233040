"""The systems of a page as the statistics take them, from the predictions that lie in the run.

None where these are not there, are damaged, or are of other clips: the page then does without what is computed of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from audionas.audio.folds import split_folder
from audionas.errors import AudionasError
from audionas.report.run_files import JsonObject, RunFiles
from audionas.report.verdict import baseline_scores
from audionas.statistics.intervals import score_estimate
from audionas.statistics.scores import score_of, second_score_of
from audionas.statistics.system import System
from audionas.training.predictions import Predictions, joined

Tables = list[list[Path]]  # of each seed (or network) the tables of its folds


def network_system(files: RunFiles, metrics: JsonObject, scores: JsonObject) -> System | None:
    """The networks of one summary (`headline` or `all_splits`) of a retraining, or of an evaluation."""
    tables = _of_evaluation(files, metrics) if files.kind == "evaluate" else _of_retraining(files, scores)
    return _system("the network", tables, metrics, is_deterministic=False)


def plain_systems(files: RunFiles, metrics: JsonObject) -> list[System]:
    """The plain systems of a retraining whose predictions it keeps, by the main score."""
    assert files.retraining is not None
    found = []
    for name, record in baseline_scores(metrics).items():
        place = _inside(files.retraining.folder, str(record.get("predictions") or ""))
        system = _system(name, [[place]] if place else [], metrics, is_deterministic=True)
        found += [system] if system else []
    return found


def second_interval(files: RunFiles, metrics: JsonObject, scores: JsonObject) -> list[float] | None:
    """The bounds of the second score (WA, macro AUC, RMSE), of which `metrics.json` has no interval."""
    system = network_system(files, metrics, scores)
    if system is None:
        return None
    score = second_score_of(str(metrics.get("task") or "classification"))
    found = score_estimate(replace(system, score=score)).interval
    return None if found is None else list(found)


def _system(name: str, tables: Tables, metrics: JsonObject, *, is_deterministic: bool) -> System | None:
    if not tables or not all(path.is_file() for each in tables for path in each):
        return None
    is_checked = bool(metrics.get("speaker_independence_checked", True))
    try:
        seeds = tuple(joined([Predictions.read(path) for path in each], "test") for each in tables)
        score = score_of(str(metrics.get("task") or "classification"))
        return System(name, seeds, score, is_checked, is_deterministic)
    except AudionasError:
        return None


def _of_retraining(files: RunFiles, scores: JsonObject) -> Tables:
    retraining = files.retraining
    splits: Sequence[object] = scores.get("splits") or []
    if retraining is None or not splits:
        return []
    return [
        [retraining.folder / split_folder(str(split)) / f"seed_{seed}" / "predictions.csv" for split in splits]
        for seed in scores.get("seeds") or []
    ]


def _of_evaluation(files: RunFiles, metrics: JsonObject) -> Tables:
    places = [_inside(files.folder, f"{each['network']}/predictions.csv") for each in metrics.get("networks") or []]
    return [[place] for place in places if place]


def _inside(folder: Path, name: str) -> Path | None:
    """A file of a run by the name that a document gives; none that lies elsewhere."""
    place = (folder / name).resolve()
    return place if name and place.is_relative_to(folder.resolve()) else None
