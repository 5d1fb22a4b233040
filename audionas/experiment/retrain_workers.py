"""Trainings of one retraining side by side: each in a process of its own, several at a time.

A process trains one (split, seed), or chooses rate and epochs of one split, exactly as it is done one after the other:
what it leaves does not depend on how many there are. On GPUs they share the card, or are dealt over all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from audionas.audio.folds import OuterSplit, split_folder
from audionas.errors import SettingsError
from audionas.experiment.run_folder import RunFolder
from audionas.experiment.tuning import FILE_NAME as TUNING
from audionas.experiment.workers import Work, run_side_by_side
from audionas.records import read_json, write_json
from audionas.training.ledger import Ledger, take_over

COST = "cost.json"


@dataclass(frozen=True)
class Job:
    """One training, or (seed None) the choice of a split's rate and epochs; `device` is the one it is dealt."""

    run: Path
    split: OuterSplit
    seed: int | None
    device: str

    @property
    def name(self) -> str:
        """Its folder below the run."""
        place = split_folder(self.split.name)
        return place if self.seed is None else f"{place}/seed_{self.seed}"

    @property
    def folder(self) -> Path:
        """Where it leaves what it found."""
        return self.run / self.name

    @property
    def is_done(self) -> bool:
        """Whether it has ended."""
        return (self.folder / (TUNING if self.seed is None else "result.json")).exists()

    @contextmanager
    def counting(self, device: str) -> Iterator[None]:
        """Keep what is spent inside in the folder, for the run to take over."""
        file = self.folder / COST
        kept = read_json(file, "cost") if file.exists() else {}
        ledger = Ledger("retraining", device, kept, lambda cost: write_json(file, cost))
        try:
            with ledger.working():
                yield
        finally:
            write_json(file, ledger.record())


def jobs_of(run: RunFolder, splits: Sequence[OuterSplit]) -> list[Job]:
    """All jobs of a retraining; of several GPUs (`--device cuda`) each job in turn gets the next."""
    device = str(run.record["device"])
    names = [device]
    if device == "cuda" and torch.cuda.device_count() > 1:
        names = [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    pairs: list[tuple[OuterSplit, int | None]] = [(split, None) for split in splits]
    pairs += [(split, seed) for split in splits for seed in run.record["seeds"]]
    return [Job(run.path, split, seed, names[i % len(names)]) for i, (split, seed) in enumerate(pairs)]


def side_by_side(run: RunFolder, work: Work, jobs: Sequence[Job], n_workers: int) -> None:
    """Do the jobs that are not done, so many at a time.

    Raises:
        RunError: one of them failed.
        KeyboardInterrupt: stopped.
    """
    names = [job.name for job in jobs if not job.is_done]
    if names:
        run_side_by_side(work, run.path, names, n_workers)


def take_over_costs(jobs: Sequence[Job]) -> None:
    """Put what processes have spent to the run's own costs."""
    files = [file for job in jobs if (file := job.folder / COST).exists()]
    take_over([read_json(file, "cost") for file in files])
    for file in files:
        file.unlink()


def check_workers(n_workers: int, trackers: Sequence[str]) -> None:
    """Refuse workers that cannot be.

    Raises:
        SettingsError: fewer than one, or with trackers, which log in one process only.
    """
    if n_workers < 1:
        raise SettingsError(f"--workers: got {n_workers}, must be 1 or more")
    if n_workers > 1 and trackers:
        raise SettingsError(f"--workers {n_workers} and --tracker: trackers log in one process only; leave one out")
