"""`metrics.json` of a fusion: streams, MLP and untrained rules side by side, and whether the MLP beats them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any

from audionas.quantities import count_text
from audionas.training.intervals import MIN_GROUPS_OF_A_CLAIM, Draws, excludes_zero, interval
from audionas.training.measures import Measure, measure_of_key
from audionas.training.metrics import Metrics
from audionas.training.predictions import Predictions, joined
from audionas.training.task_draws import draws_of
from audionas.training.tasks import TASKS

MLP = "fusion MLP"
INTERVAL = "95 % interval by a bootstrap over groups (speakers), 2,000 draws, percentiles"


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


def comparison(rows: Sequence[Row], splits: Sequence[str], seeds: Sequence[int], what: str) -> dict[str, Any]:
    """The rows over some test folds, the differences of the MLP to every other row, and what follows."""
    scored = [_Scored.of(row, splits, seeds) for row in rows]
    fused = next(each for each in scored if each.row.name == MLP)
    differences = [_difference(fused, other) for other in scored if other is not fused]
    n_groups = len(fused.draws.groups)
    return {
        "what": what,
        "interval": INTERVAL,
        "splits": list(splits),
        "seeds": list(seeds),
        "n_clips": fused.metrics[0].n_clips,
        "n_groups": n_groups,
        "rows": [each.record(seeds) for each in scored],
        "differences": differences,
        "is_better": all(record["is_better"] for record in differences),
        "conclusion": _conclusion(differences, n_groups, measure_of_key(fused.metrics[0].primary.name)),
    }


@dataclass(frozen=True)
class _Scored:
    row: Row
    metrics: tuple[Metrics, ...]
    draws: Draws

    @staticmethod
    def of(row: Row, splits: Sequence[str], seeds: Sequence[int]) -> _Scored:
        pooled = [joined([row.predictions[split, seed] for split in splits], "test") for seed in seeds]
        metrics = [TASKS[each.task].metrics(each.truth, each.scores, each.labels) for each in pooled]
        return _Scored(row, tuple(metrics), draws_of(pooled))

    def record(self, seeds: Sequence[int]) -> dict[str, Any]:
        n_groups = len(self.draws.groups)
        main, second = self.metrics[0].scores
        return {
            "name": self.row.name,
            "kind": self.row.kind,
            **_mean_sd(main, [each.scores[main] for each in self.metrics]),
            f"{main}_interval": interval(self.draws.ua, n_groups),
            **_mean_sd(second, [each.scores[second] for each in self.metrics]),
            f"{second}_interval": interval(self.draws.wa, n_groups),
            "parameters": self.row.parameters(),
            "per_seed": [{"seed": seed, **each.as_record()} for seed, each in zip(seeds, self.metrics, strict=True)],
        }


def _difference(fused: _Scored, other: _Scored) -> dict[str, Any]:
    """The MLP minus another row; paired: both on the same draws of groups."""
    n_groups = len(fused.draws.groups)
    first = interval(fused.draws.ua - other.draws.ua, n_groups)
    main, second = fused.metrics[0].scores
    return {
        "name": MLP,
        "minus": other.row.name,
        main: mean(each.scores[main] for each in fused.metrics) - mean(each.scores[main] for each in other.metrics),
        f"{main}_interval": first,
        second: mean(e.scores[second] for e in fused.metrics) - mean(e.scores[second] for e in other.metrics),
        f"{second}_interval": interval(fused.draws.wa - other.draws.wa, n_groups),
        "is_better": excludes_zero(first, n_groups),
    }


def _conclusion(differences: Sequence[Mapping[str, Any]], n_groups: int, by: Measure) -> str:
    if all(record["is_better"] for record in differences):
        texts = ", ".join(_text(record, by.key) for record in differences)
        return f"The fusion MLP is better, by {by.name}, than every stream and every untrained rule: {texts}."
    texts = ", ".join(_text(record, by.key) for record in differences if not record["is_better"])
    few = ""
    if n_groups < MIN_GROUPS_OF_A_CLAIM:
        few = f" {count_text(n_groups, 'group')} are too few for a claim ({MIN_GROUPS_OF_A_CLAIM} at least)."
    return f"The fusion MLP is not shown to be better, by {by.name}, than {texts}.{few}"


def _text(record: Mapping[str, Any], key: str) -> str:
    bounds = record[f"{key}_interval"]
    between = f"95 % interval {bounds[0]:+.3f} to {bounds[1]:+.3f}" if bounds else "no interval"
    return f"{record['minus']} ({record[key]:+.3f}, {between})"


def _mean_sd(name: str, values: Sequence[float]) -> dict[str, float | None]:
    return {name: mean(values), f"{name}_sd": stdev(values) if len(values) > 1 else None}
