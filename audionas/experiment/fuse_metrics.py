"""`metrics.json` of a fusion: streams, MLP and untrained rules side by side, and whether the MLP beats them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import mean, stdev
from typing import Any

from audionas.quantities import count_text, p_text
from audionas.statistics.chance import ALPHA, chance
from audionas.statistics.claims import why_no_claim
from audionas.statistics.holm import holm
from audionas.statistics.intervals import difference_estimate, interval_words, score_estimate
from audionas.statistics.scores import score_of, second_score_of
from audionas.statistics.sign_flip import SignFlip, sign_flip
from audionas.statistics.system import System
from audionas.training.measures import Measure, measure_of_key
from audionas.training.metrics import Metrics
from audionas.training.predictions import Predictions, joined
from audionas.training.tasks import TASKS

MLP = "fusion MLP"


@dataclass(frozen=True)
class Row:
    """One system: its test predictions of every (split, seed); `fusion` counts its own parameters."""

    name: str
    kind: str
    streams: tuple[int, ...]
    fusion: int
    predictions: Mapping[tuple[str, int], Predictions]

    def parameters(self) -> dict[str, Any]:
        """Parameters of each stream, of the fusion, and together."""
        return {"streams": list(self.streams), "fusion": self.fusion, "total": sum(self.streams) + self.fusion}


def comparison(
    rows: Sequence[Row], splits: Sequence[str], seeds: Sequence[int], what: str, are_groups_known: bool = True
) -> dict[str, Any]:
    """The rows over some test folds, the differences of the MLP to every other row, and what follows."""
    scored = [_Scored.of(row, splits, seeds, are_groups_known) for row in rows]
    fused = next(each for each in scored if each.row.name == MLP)
    others = [each for each in scored if each is not fused]
    tests = [sign_flip(fused.main, other.main) for other in others]
    claim, adjusted = why_no_claim(fused.main), holm([test.p for test in tests])
    differences = [
        _difference(fused, other, test, p, claim) for other, test, p in zip(others, tests, adjusted, strict=True)
    ]
    n_groups = len(fused.main.groups)
    return {
        "what": what,
        "interval": interval_words(n_groups),
        "test": f"{tests[0].how}; p of {count_text(len(tests), 'comparison')} corrected by Holm's method",
        "claim": claim,
        "splits": list(splits),
        "seeds": list(seeds),
        "n_clips": fused.metrics[0].n_clips,
        "n_groups": n_groups,
        "rows": [each.record(seeds) for each in scored],
        "differences": differences,
        "is_better": all(record["is_better"] for record in differences),
        "conclusion": _conclusion(differences, n_groups, claim, measure_of_key(fused.main.score.name)),
    }


@dataclass(frozen=True)
class _Scored:
    row: Row
    metrics: tuple[Metrics, ...]
    main: System

    @staticmethod
    def of(row: Row, splits: Sequence[str], seeds: Sequence[int], are_groups_known: bool) -> _Scored:
        pooled = [joined([row.predictions[split, seed] for split in splits], "test") for seed in seeds]
        task = pooled[0].task
        metrics = [TASKS[task].metrics(each.truth, each.scores, each.labels) for each in pooled]
        return _Scored(row, tuple(metrics), System(row.name, tuple(pooled), score_of(task), are_groups_known))

    @property
    def second(self) -> System:
        """The same by the score that stands beside the main one."""
        return replace(self.main, score=second_score_of(self.main.seeds[0].task))

    def record(self, seeds: Sequence[int]) -> dict[str, Any]:
        scored: dict[str, Any] = {}
        for system in (self.main, self.second):
            name = system.score.name
            scored |= _mean_sd(name, [each.scores[name] for each in self.metrics])
            scored[f"{name}_interval"] = score_estimate(system).interval
        return {
            "name": self.row.name,
            "kind": self.row.kind,
            **scored,
            "chance": (against := chance(self.main)).as_record(),
            "verdict": against.verdict,
            "parameters": self.row.parameters(),
            "per_seed": [{"seed": seed, **each.as_record()} for seed, each in zip(seeds, self.metrics, strict=True)],
        }


def _difference(fused: _Scored, other: _Scored, test: SignFlip, p_holm: float, claim: str | None) -> dict[str, Any]:
    """The MLP minus another row; paired: the same groups left out, drawn or swapped in both."""
    scored: dict[str, Any] = {}
    for one, two in ((fused.main, other.main), (fused.second, other.second)):
        found, name = difference_estimate(one, two), one.score.name
        scored |= {name: found.value, f"{name}_interval": found.interval}
    return {
        "name": MLP,
        "minus": other.row.name,
        **scored,
        **test.as_record(),
        "p_holm": p_holm,
        "is_better": claim is None and scored[fused.main.score.name] > 0 and p_holm <= ALPHA,
    }


def _conclusion(differences: Sequence[Mapping[str, Any]], n_groups: int, claim: str | None, by: Measure) -> str:
    if all(record["is_better"] for record in differences):
        texts = ", ".join(_text(record, by.key) for record in differences)
        return f"The fusion MLP is better, by {by.name}, than every stream and every untrained rule: {texts}."
    texts = ", ".join(_text(record, by.key) for record in differences if not record["is_better"])
    first = f"The fusion MLP is not shown to be better, by {by.name}, than {texts}."
    if claim:
        return f"{first} {claim[:1].upper()}{claim[1:]}."
    if differences[0]["smallest_p"] * len(differences) > ALPHA:
        n = count_text(len(differences), "comparison")
        return f"{first} {count_text(n_groups, 'group')} and {n} cannot show it, whatever the scores."
    return first


def _text(record: Mapping[str, Any], key: str) -> str:
    bounds = record[f"{key}_interval"]
    between = f"95 % interval {bounds[0]:+.3f} to {bounds[1]:+.3f}" if bounds else "no interval"
    return f"{record['minus']} ({record[key]:+.3f}, {between}, p {p_text(record['p_holm'])} after Holm)"


def _mean_sd(name: str, values: Sequence[float]) -> dict[str, float | None]:
    return {name: mean(values), f"{name}_sd": stdev(values) if len(values) > 1 else None}
