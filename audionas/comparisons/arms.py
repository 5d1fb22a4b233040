"""The arms of a finished comparison: predictions, sizes and costs, as the tables take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np

from audionas.audio.folds import outer_splits, split_folder
from audionas.audio.manifest import Manifest
from audionas.comparisons.plan import RANDOM_ARCHITECTURES, Plan
from audionas.experiment.run_folder import RunFolder
from audionas.records import read_json
from audionas.statistics.scores import score_of
from audionas.statistics.system import System
from audionas.training.ledger import summed
from audionas.training.predictions import Predictions, joined


@dataclass(frozen=True)
class Arm:
    """One arm: `runs` holds a system for each search (random architecture, hand-made network), with all its seeds.

    `search` and `retraining` are cost records; `compared` is how many architectures its searches looked at in each
    split, `settings` how many pairs of rate and epochs each retraining did.
    """

    name: str
    runs: tuple[System, ...]
    parameters: tuple[int, ...]
    search: dict[str, Any]
    retraining: dict[str, Any]
    compared: int
    settings: int

    @property
    def system(self) -> System:
        """All runs and seeds together."""
        first = self.runs[0]
        seeds = tuple(found for run in self.runs for found in run.seeds)
        return System(self.name, seeds, first.score, first.are_groups_known)

    def scores(self) -> list[float]:
        """The score of every run and seed."""
        return [value for run in self.runs for value in each_score(run)]

    def mean_sd(self) -> tuple[float, float | None]:
        """Mean and sd over runs and seeds."""
        values = self.scores()
        return mean(values), stdev(values) if len(values) > 1 else None


def each_score(system: System) -> list[float]:
    """The pooled score of each seed."""
    return [system.score.of_rows(system.truth, found.scores, system.labels) for found in system.seeds]


def read_arm(out: Path, plan: Plan, name: str) -> Arm:
    """An arm as its retrainings left it."""
    manifest = Manifest.read(out / "prepared")
    is_searched = name in plan.arms
    n_runs = plan.searches if is_searched else plan.architectures if name == RANDOM_ARCHITECTURES else 1
    retrained = [RunFolder.open(out / name / f"retrained_{number}") for number in range(n_runs)]
    searched = []
    if is_searched:
        searched = [RunFolder.open(out / name / f"search_{number}") for number in range(n_runs)]
    return Arm(
        name=name,
        runs=tuple(_system(run, plan, manifest, name) for run in retrained),
        parameters=tuple(read_json(run.path / "metrics.json", "metrics file")["parameters"] for run in retrained),
        search=summed([run.record["cost"] for run in searched]),
        retraining=summed([run.record["cost"] for run in retrained]),
        compared=_compared(searched),
        settings=max(len(plan.epochs), 1) * max(len(plan.learning_rates), 1),
    )


def baseline_systems(out: Path, plan: Plan) -> dict[str, System]:
    """The plain systems that were asked for, as the first arm's retraining has left them beside its scores."""
    manifest = Manifest.read(out / "prepared")
    folder = out / next(iter(plan.arms)) / "retrained_0"
    return {
        str(record["name"]): System(
            str(record["name"]),
            (Predictions.read(folder / record["predictions"]),),
            score_of(manifest.task),
            manifest.speaker_independence_checked,
            True,
        )
        for record in read_json(folder / "metrics.json", "metrics file")["baselines"]["headline"]
        if plan.baselines is None or str(record["name"]).startswith(plan.baselines)
    }


def _system(run: RunFolder, plan: Plan, manifest: Manifest, name: str) -> System:
    splits = [split.name for split in outer_splits(manifest)]
    seeds = [
        joined(
            [Predictions.read(run.path / split_folder(split) / f"seed_{seed}" / "predictions.csv") for split in splits],
            "test",
        )
        for seed in range(plan.seeds)
    ]
    return System(name, tuple(seeds), score_of(manifest.task), manifest.speaker_independence_checked)


def _compared(searched: Sequence[RunFolder]) -> int:
    """Trials of a search, or 1 where one supernet is trained; 0 without a search."""
    trials = [
        RunFolder.open(run.path / split_folder(split)).record.get("trials", 1)
        for run in searched
        for split in run.record["splits"]
    ]
    return int(np.max(trials)) if trials else 0
