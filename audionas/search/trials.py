"""`trials.jsonl`: one `proposed` line before a trial's work starts, one `finished` line after it.

The log is the truth: a resumed search replays it, and proposals without a finish are run again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audionas.records import append_jsonl, read_jsonl, rewrite_jsonl
from audionas.search.evaluator import Score
from audionas.spaces import Genotype

FILE_NAME = "trials.jsonl"


@dataclass(frozen=True)
class Trial:
    """A finished trial."""

    number: int
    hash: str
    sample: Mapping[str, str]
    status: str
    score: Score | None
    error: str | None

    def rank(self, objective: str) -> tuple[float, int, int]:
        """Sort key, best first: objective, then fewer parameters, then the earlier trial."""
        assert self.score is not None
        return (-self.score.objective(objective), self.score.parameters, self.number)

    def value(self, objective: str) -> float:
        """The objective as people read it: a loss is not turned around."""
        assert self.score is not None
        return float(getattr(self.score, objective))


class TrialLog:
    """Reads and appends the log of one search."""

    def __init__(self, path: Path) -> None:
        self._path = path
        lines = read_jsonl(path)
        finished = {line["number"]: line for line in lines if line["event"] == "finished"}
        proposed = {line["number"]: line for line in lines if line["event"] == "proposed"}
        self.finished = {n: _trial(proposed[n], line) for n, line in sorted(finished.items())}
        rewrite_jsonl(path, lines)

    def propose(self, number: int, genotype: Genotype, sample: Mapping[str, str], epochs: int, seed: int) -> None:
        """Note a candidate before its work starts."""
        record = {"event": "proposed", "number": number, "hash": genotype.hash, "sample": dict(sample)}
        append_jsonl(self._path, record | {"epochs": epochs, "seed": seed})

    def finish(self, trial: Trial) -> None:
        """Note a result."""
        self.finished[trial.number] = trial
        append_jsonl(self._path, {
            "event": "finished", "number": trial.number, "status": trial.status,
            "score": trial.score.as_record() if trial.score else None,
            "seconds": trial.score.seconds if trial.score else None, "error": trial.error,
        })  # fmt: skip

    def of_hash(self, genotype_hash: str) -> Trial | None:
        """The first finished trial of an architecture, isomorphic ones counted as equal."""
        return next((trial for trial in self.finished.values() if trial.hash == genotype_hash), None)

    def ranked(self, objective: str) -> list[Trial]:
        """The trials that are done, best first; of an architecture that was met again, the first."""
        done = [trial for trial in self.finished.values() if trial.score is not None]
        first = {trial.hash: trial for trial in sorted(done, key=lambda trial: trial.number, reverse=True)}
        return sorted(first.values(), key=lambda trial: trial.rank(objective))


def _trial(proposed: Mapping[str, Any], finished: Mapping[str, Any]) -> Trial:
    score = Score.of_record(finished["score"]) if finished["score"] else None
    return Trial(proposed["number"], proposed["hash"], proposed["sample"], finished["status"], score, finished["error"])
