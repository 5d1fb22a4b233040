"""The scores of one retrained or fused system over all test folds, with an interval over speakers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from audionas.audio.folds import split_folder
from audionas.experiment.run_folder import RunFolder
from audionas.records import read_json
from audionas.statistics.intervals import Interval, score_estimate
from audionas.statistics.system import System
from audionas.training.metrics import ClassificationMetrics, classification_metrics
from audionas.training.predictions import Predictions, joined


@dataclass(frozen=True)
class SystemScores:
    """Pooled scores: mean and sd over seeds, 95 % interval over speakers; sizes are the largest of the splits.

    `system` holds the predictions, for comparisons; it is not part of the record.
    """

    ua: float
    ua_sd: float | None
    ua_interval: Interval | None
    ua_fold_mean: float
    wa: float
    wa_sd: float | None
    n_clips: int
    parameters: int
    attention: int
    seconds: float
    system: System

    def record(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "ua": self.ua, "ua_sd": self.ua_sd, "ua_interval": self.ua_interval,
            "ua_fold_mean": self.ua_fold_mean, "wa": self.wa, "wa_sd": self.wa_sd,
            "n_clips": self.n_clips, "parameters": self.parameters, "attention": self.attention,
            "seconds": self.seconds,
        }  # fmt: skip


def retrained_scores(run: Path, splits: list[str], seeds: int) -> SystemScores:
    """The scores of a retraining (kind `retrain`)."""
    folders = [[run / split_folder(name) / f"seed_{seed}" for name in splits] for seed in range(seeds)]
    by_fold = [[Predictions.read(place / "predictions.csv") for place in row] for row in folders]
    pooled = [joined(row, "test") for row in by_fold]
    results = [read_json(place / "result.json", "result") for row in folders for place in row]
    metrics = [_metrics(found) for found in pooled]
    system = System(str(run), tuple(pooled))
    ua, wa = [found.ua for found in metrics], [found.wa for found in metrics]
    return SystemScores(
        ua=mean(ua),
        ua_sd=stdev(ua) if seeds > 1 else None,
        ua_interval=score_estimate(system).interval,
        ua_fold_mean=mean(_metrics(found).ua for row in by_fold for found in row),
        wa=mean(wa),
        wa_sd=stdev(wa) if seeds > 1 else None,
        n_clips=metrics[0].n_clips,
        parameters=max(result["parameters"] for result in results),
        attention=max(result["parameter_parts"].get("attention", 0) for result in results),
        seconds=round(RunFolder.open(run).record["cost"]["seconds"], 1),
        system=system,
    )


def _metrics(found: Predictions) -> ClassificationMetrics:
    return classification_metrics(found.truth, found.scores.argmax(axis=1), found.labels)
