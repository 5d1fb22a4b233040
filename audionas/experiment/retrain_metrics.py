"""`metrics.json` of a retraining: every number says what it is of (pooled, per fold, per seed; seen or not)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from audionas.audio.folds import OuterSplit, split_folder
from audionas.audio.manifest import Manifest
from audionas.statistics.evidence import evidence
from audionas.statistics.scores import score_of
from audionas.statistics.system import System
from audionas.training.measures import in_measure, measures_of
from audionas.training.metrics import Metrics, pooled
from audionas.training.predictions import Predictions, joined
from audionas.training.tasks import TaskSeam

CLEAN = "pooled UA over the test folds that the search did not read; mean and sd over seeds"
UNKNOWN = (
    "pooled UA over the test folds; it is NOT KNOWN which clips the genotype's search has read; mean and sd over seeds"
)
ALL = "pooled UA over all test folds, those seen by the search included; mean and sd over seeds"


@dataclass(frozen=True)
class FoldScores:
    """Metrics and test predictions of every (split, seed), and which splits the search has seen."""

    metrics: Mapping[tuple[str, int], Metrics]
    predictions: Mapping[tuple[str, int], Predictions]
    seen: Mapping[str, list[str]]
    seeds: tuple[int, ...]

    def of_seed(self, seed: int, splits: Sequence[str]) -> Metrics:
        """One seed's metrics, pooled over splits."""
        return pooled([self.metrics[split, seed] for split in splits])

    def system(self, splits: Sequence[str], manifest: Manifest) -> System:
        """All seeds, each over these splits, as the statistics take them."""
        seeds = [joined([self.predictions[split, seed] for split in splits], "test") for seed in self.seeds]
        return System(
            "retrained networks", tuple(seeds), score_of(manifest.task), manifest.speaker_independence_checked
        )


def read_fold_scores(
    run: Path,
    splits: Sequence[OuterSplit],
    seeds: Sequence[int],
    seen: Mapping[str, list[str]],
    task: TaskSeam,
) -> FoldScores:
    """Scores from the predictions that the folds of a run left."""
    metrics, predictions = {}, {}
    for split in splits:
        for seed in seeds:
            found = Predictions.read(run / split_folder(split.name) / f"seed_{seed}" / "predictions.csv")
            predictions[split.name, seed] = found
            metrics[split.name, seed] = task.metrics(found.truth, found.scores, found.labels)
    return FoldScores(metrics, predictions, seen, tuple(seeds))


def metrics_document(
    manifest: Manifest,
    splits: Sequence[OuterSplit],
    scores: FoldScores,
    parameters: int,
    baselines: Mapping[str, Any],
    is_known: bool = True,
) -> dict[str, Any]:
    """The document; `headline` is null when the search has seen every test fold."""
    names = [split.name for split in splits]
    clean = [name for name in names if not scores.seen[name]]
    return {
        "schema_version": 1,
        "task": manifest.task,
        "labels": list(manifest.labels),
        "parameters": parameters,
        "speaker_independence_checked": manifest.speaker_independence_checked,
        "splits": [_split_record(manifest, split, scores) for split in splits],
        "headline": _summary(CLEAN if is_known else UNKNOWN, scores, clean, manifest) if clean else None,
        "all_splits": _summary(ALL, scores, names, manifest),
        "per_seed": [
            {"seed": seed, "splits": clean or names, **scores.of_seed(seed, clean or names).as_record()}
            for seed in scores.seeds
        ],
        "per_fold": [
            {"split": name, "seed": seed, "seen_by_search": bool(scores.seen[name]), **metrics.as_record()}
            for (name, seed), metrics in scores.metrics.items()
        ],
        "baselines": dict(baselines),
    }


def _summary(what: str, scores: FoldScores, splits: Sequence[str], manifest: Manifest) -> dict[str, Any]:
    each = [scores.of_seed(seed, splits) for seed in scores.seeds]
    main, second = (measure.key for measure in measures_of({"task": manifest.task}))
    by_fold = [scores.metrics[split, seed].primary.value for split in splits for seed in scores.seeds]
    return {
        "what": in_measure(what, {"task": manifest.task}),
        **_mean_sd(main, [metrics.scores[main] for metrics in each]),
        **_mean_sd(second, [metrics.scores[second] for metrics in each]),
        f"{main}_fold_mean": mean(by_fold),
        "seeds": list(scores.seeds),
        "splits": list(splits),
        "n_clips": each[0].n_clips,
        **evidence(scores.system(splits, manifest)),
    }


def _mean_sd(name: str, values: Sequence[float]) -> dict[str, float | None]:
    return {name: mean(values), f"{name}_sd": stdev(values) if len(values) > 1 else None}


def _split_record(manifest: Manifest, split: OuterSplit, scores: FoldScores) -> dict[str, Any]:
    metrics = scores.metrics[split.name, scores.seeds[0]]
    return {
        "name": split.name,
        "n_clips": metrics.n_clips,
        "n_groups": len({manifest.clips[row].group for row in split.test}),
        "seen_by_search": bool(scores.seen[split.name]),
        "groups_seen": scores.seen[split.name],
        "absent_classes": list(metrics.absent_classes),
    }
