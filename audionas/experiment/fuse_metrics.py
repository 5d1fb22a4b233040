"""`metrics.json` of a fusion: streams, MLP and untrained rules side by side, and whether the MLP beats them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any

from audionas.quantities import count_text
from audionas.training.intervals import MIN_GROUPS_OF_A_CLAIM, Draws, bootstrap, excludes_zero, group_counts, interval
from audionas.training.metrics import ClassificationMetrics, classification_metrics
from audionas.training.predictions import Predictions, joined

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
        "conclusion": _conclusion(differences, n_groups),
    }


@dataclass(frozen=True)
class _Scored:
    row: Row
    metrics: tuple[ClassificationMetrics, ...]
    draws: Draws

    @staticmethod
    def of(row: Row, splits: Sequence[str], seeds: Sequence[int]) -> _Scored:
        pooled = [joined([row.predictions[split, seed] for split in splits], "test") for seed in seeds]
        metrics = [classification_metrics(each.truth, each.scores.argmax(axis=1), each.labels) for each in pooled]
        return _Scored(row, tuple(metrics), bootstrap(group_counts(pooled)))

    def record(self, seeds: Sequence[int]) -> dict[str, Any]:
        n_groups = len(self.draws.groups)
        return {
            "name": self.row.name,
            "kind": self.row.kind,
            **_mean_sd("ua", [each.ua for each in self.metrics]),
            "ua_interval": interval(self.draws.ua, n_groups),
            **_mean_sd("wa", [each.wa for each in self.metrics]),
            "wa_interval": interval(self.draws.wa, n_groups),
            "parameters": self.row.parameters(),
            "per_seed": [{"seed": seed, **each.as_record()} for seed, each in zip(seeds, self.metrics, strict=True)],
        }


def _difference(fused: _Scored, other: _Scored) -> dict[str, Any]:
    """The MLP minus another row; paired: both on the same draws of groups."""
    n_groups = len(fused.draws.groups)
    ua = interval(fused.draws.ua - other.draws.ua, n_groups)
    return {
        "name": MLP,
        "minus": other.row.name,
        "ua": mean(each.ua for each in fused.metrics) - mean(each.ua for each in other.metrics),
        "ua_interval": ua,
        "wa": mean(each.wa for each in fused.metrics) - mean(each.wa for each in other.metrics),
        "wa_interval": interval(fused.draws.wa - other.draws.wa, n_groups),
        "is_better": excludes_zero(ua, n_groups),
    }


def _conclusion(differences: Sequence[Mapping[str, Any]], n_groups: int) -> str:
    if all(record["is_better"] for record in differences):
        texts = ", ".join(_text(record) for record in differences)
        return f"The fusion MLP is better, by UA, than every stream and every untrained rule: {texts}."
    texts = ", ".join(_text(record) for record in differences if not record["is_better"])
    few = ""
    if n_groups < MIN_GROUPS_OF_A_CLAIM:
        few = f" {count_text(n_groups, 'group')} are too few for a claim ({MIN_GROUPS_OF_A_CLAIM} at least)."
    return f"The fusion MLP is not shown to be better, by UA, than {texts}.{few}"


def _text(record: Mapping[str, Any]) -> str:
    bounds = record["ua_interval"]
    between = f"95 % interval {bounds[0]:+.3f} to {bounds[1]:+.3f}" if bounds else "no interval"
    return f"{record['minus']} ({record['ua']:+.3f}, {between})"


def _mean_sd(name: str, values: Sequence[float]) -> dict[str, float | None]:
    return {name: mean(values), f"{name}_sd": stdev(values) if len(values) > 1 else None}
