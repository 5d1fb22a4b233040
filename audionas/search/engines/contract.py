"""What an engine promises: jobs go in, outcomes come out, and nothing that a trial does ends the search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # a child process should listen to its parent before it imports what takes seconds
    from audionas.search.evaluator import Score
    from audionas.spaces import Genotype


@dataclass(frozen=True)
class Job:
    """One candidate to be trained from scratch: for `epochs`, on a share `fraction` of the training clips."""

    number: int
    genotype: Genotype
    epochs: int
    seed: int
    fraction: float = 1.0


@dataclass(frozen=True)
class Outcome:
    """How a job ended: with a score, or failed and why.

    `costs` is what another process counted: clip-passes, and `device_seconds` on a CPU. It is for the ledger.
    """

    number: int
    score: Score | None
    error: str | None = None
    costs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """`done` or `failed`."""
        return "failed" if self.score is None else "done"


class Evaluator(Protocol):
    """Trains a candidate and scores it; `TrainingEvaluator` does, `TabularEvaluator` looks it up."""

    def evaluate(self, genotype: Genotype, *, epochs: int, seed: int) -> Score:
        """The score of one candidate; one that can train on less takes `fraction` of the training clips too."""
        ...


@dataclass(frozen=True)
class EngineOptions:
    """How many trials run at once, after how many seconds one is given up, and where a Ray cluster is."""

    workers: int = 1
    timeout_s: float | None = None
    address: str | None = None


class Engine(Protocol):
    """Runs jobs. Not thread-safe; `submit` and `next` are called from the main thread alone."""

    n_workers: int

    def submit(self, job: Job) -> None:
        """Take a job; called only while fewer than `n_workers` are under way."""
        ...

    def next(self) -> Outcome:
        """Wait for a job to end, in whatever way; called only while at least one is under way."""
        ...

    def close(self) -> None:
        """Stop whatever still runs and free it; may be called twice."""
        ...
