"""`trials.jsonl`: one `proposed` line before a trial's work starts, one `finished` line when the strategy hears of it.

The log is the truth: a resumed search replays its lines in their order, and proposals without a finish are run again.
Candidates over a hard limit have a `refused` line instead and are no trials.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audionas.records import append_jsonl, rewrite_jsonl
from audionas.search.evaluator import Score
from audionas.search_logs import foreign_line, read_trials
from audionas.spaces import Genotype

FILE_NAME = "trials.jsonl"


@dataclass(frozen=True)
class Fidelity:
    """How thoroughly a candidate is trained: epochs, and the share of the training clips."""

    epochs: int
    fraction: float = 1.0

    def cost(self, whole: int) -> float:
        """In trainings of `whole` epochs on all clips."""
        return self.epochs * self.fraction / whole


@dataclass(frozen=True)
class Trial:
    """A finished trial."""

    number: int
    hash: str
    sample: Mapping[str, str]
    status: str
    score: Score | None
    error: str | None
    fidelity: Fidelity | None = None

    def rank(self, objective: str) -> tuple[float, int, int]:
        """Sort key, best first: objective, then fewer parameters, then the earlier trial."""
        assert self.score is not None
        return (-self.score.objective(objective), self.score.parameters, self.number)

    def value(self, objective: str) -> float:
        """The objective as people read it: a loss is not turned around."""
        assert self.score is not None
        return float(getattr(self.score, objective))


class TrialLog:
    """Reads and appends the log of one search.

    Attributes:
        events: (event, number) of the lines that were there when it was opened, in their order.
        finished: number -> trial.
        proposed: number -> hash.
        refused: hash -> why.

    Raises:
        RunError: a line is none that a search writes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        lines = read_trials(path)
        self._read(lines)
        rewrite_jsonl(path, lines)

    def _read(self, lines: list[Any]) -> None:
        proposed: dict[int, Any] = {}
        self.events: list[tuple[str, int]] = []
        self.finished: dict[int, Trial] = {}
        self.refused: dict[str, str] = {}
        for place, line in enumerate(lines, start=1):
            try:
                if line["event"] == "refused":
                    self.refused[line["hash"]] = line["reason"]
                    continue
                self.events.append((line["event"], line["number"]))
                if line["event"] == "proposed":
                    proposed[line["number"]] = line
                else:
                    self.finished[line["number"]] = _trial(proposed[line["number"]], line)
            except (LookupError, TypeError, StopIteration) as why:
                raise foreign_line(self._path, place, f"{type(why).__name__}: {why}") from why
        self.finished = dict(sorted(self.finished.items()))
        self.proposed: dict[int, str] = {number: line["hash"] for number, line in proposed.items()}

    def propose(self, number: int, genotype: Genotype, sample: Mapping[str, str], epochs: int, seed: int,
                fraction: float = 1.0) -> None:  # fmt: skip
        """Note a candidate before its work starts."""
        self.proposed[number] = genotype.hash
        record = {"event": "proposed", "number": number, "hash": genotype.hash, "sample": dict(sample)}
        share = {} if fraction == 1.0 else {"fraction": fraction}
        append_jsonl(self._path, record | {"epochs": epochs, **share, "seed": seed})

    def finish(self, trial: Trial) -> None:
        """Note a result."""
        self.finished[trial.number] = trial
        append_jsonl(self._path, {
            "event": "finished", "number": trial.number, "status": trial.status,
            "score": trial.score.as_record() if trial.score else None,
            "seconds": trial.score.seconds if trial.score else None, "error": trial.error,
        })  # fmt: skip

    def refuse(self, genotype_hash: str, sample: Mapping[str, str], reason: str) -> None:
        """Note a candidate that is over a limit."""
        self.refused[genotype_hash] = reason
        append_jsonl(self._path, {"event": "refused", "hash": genotype_hash, "sample": dict(sample), "reason": reason})

    def ranked(self, objective: str) -> list[Trial]:
        """The trials that are done, best first: those that were trained most thoroughly, one an architecture."""
        done = [trial for trial in self.finished.values() if trial.score is not None]
        most = max((_thoroughness(trial) for trial in done), default=0.0)
        first = {trial.hash: trial for trial in sorted(done, key=lambda trial: -trial.number)
                 if _thoroughness(trial) == most}  # fmt: skip
        return sorted(first.values(), key=lambda trial: trial.rank(objective))


def _thoroughness(trial: Trial) -> float:
    return trial.fidelity.cost(1) if trial.fidelity else 0.0


def _trial(proposed: Mapping[str, Any], finished: Mapping[str, Any]) -> Trial:
    score = Score.of_record(finished["score"]) if finished["score"] else None
    fidelity = Fidelity(proposed["epochs"], proposed.get("fraction", 1.0))
    sample, status, error = proposed["sample"], finished["status"], finished["error"]
    return Trial(proposed["number"], proposed["hash"], sample, status, score, error, fidelity)
