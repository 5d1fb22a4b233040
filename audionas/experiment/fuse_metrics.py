"""`metrics.json` of a fusion: streams, MLP and untrained rules side by side, and whether the MLP beats them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import mean, stdev
from typing import Any

from audionas.quantities import count_text, p_text
from audionas.statistics.chance import ALPHA
from audionas.statistics.claims import why_no_claim
from audionas.statistics.holm import holm
from audionas.statistics.intervals import difference_estimate, interval_words, score_estimate
from audionas.statistics.scores import UA, WA
from audionas.statistics.sign_flip import SignFlip, sign_flip
from audionas.statistics.system import System
from audionas.training.metrics import ClassificationMetrics, classification_metrics
from audionas.training.predictions import Predictions, joined

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
    tests = [sign_flip(fused.ua, other.ua) for other in others]
    claim, adjusted = why_no_claim(fused.ua), holm([test.p for test in tests])
    differences = [
        _difference(fused, other, test, p, claim) for other, test, p in zip(others, tests, adjusted, strict=True)
    ]
    n_groups = len(fused.ua.groups)
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
        "conclusion": _conclusion(differences, n_groups, claim),
    }


@dataclass(frozen=True)
class _Scored:
    row: Row
    metrics: tuple[ClassificationMetrics, ...]
    ua: System

    @staticmethod
    def of(row: Row, splits: Sequence[str], seeds: Sequence[int], are_groups_known: bool) -> _Scored:
        pooled = [joined([row.predictions[split, seed] for split in splits], "test") for seed in seeds]
        metrics = [classification_metrics(each.truth, each.scores.argmax(axis=1), each.labels) for each in pooled]
        return _Scored(row, tuple(metrics), System(row.name, tuple(pooled), UA, are_groups_known))

    @property
    def wa(self) -> System:
        return replace(self.ua, score=WA)

    def record(self, seeds: Sequence[int]) -> dict[str, Any]:
        return {
            "name": self.row.name,
            "kind": self.row.kind,
            **_mean_sd("ua", [each.ua for each in self.metrics]),
            "ua_interval": score_estimate(self.ua).interval,
            **_mean_sd("wa", [each.wa for each in self.metrics]),
            "wa_interval": score_estimate(self.wa).interval,
            "parameters": self.row.parameters(),
            "per_seed": [{"seed": seed, **each.as_record()} for seed, each in zip(seeds, self.metrics, strict=True)],
        }


def _difference(fused: _Scored, other: _Scored, test: SignFlip, p_holm: float, claim: str | None) -> dict[str, Any]:
    """The MLP minus another row; paired: the same groups left out, drawn or swapped in both."""
    ua, wa = difference_estimate(fused.ua, other.ua), difference_estimate(fused.wa, other.wa)
    return {
        "name": MLP,
        "minus": other.row.name,
        "ua": ua.value,
        "ua_interval": ua.interval,
        "wa": wa.value,
        "wa_interval": wa.interval,
        **test.as_record(),
        "p_holm": p_holm,
        "is_better": claim is None and ua.value > 0 and p_holm <= ALPHA,
    }


def _conclusion(differences: Sequence[Mapping[str, Any]], n_groups: int, claim: str | None) -> str:
    if all(record["is_better"] for record in differences):
        texts = ", ".join(_text(record) for record in differences)
        return f"The fusion MLP is better, by UA, than every stream and every untrained rule: {texts}."
    texts = ", ".join(_text(record) for record in differences if not record["is_better"])
    first = f"The fusion MLP is not shown to be better, by UA, than {texts}."
    if claim:
        return f"{first} {claim[:1].upper()}{claim[1:]}."
    if differences[0]["smallest_p"] * len(differences) > ALPHA:
        n = count_text(len(differences), "comparison")
        return f"{first} {count_text(n_groups, 'group')} and {n} cannot show it, whatever the scores."
    return first


def _text(record: Mapping[str, Any]) -> str:
    bounds = record["ua_interval"]
    between = f"95 % interval {bounds[0]:+.3f} to {bounds[1]:+.3f}" if bounds else "no interval"
    return f"{record['minus']} ({record['ua']:+.3f}, {between}, p {p_text(record['p_holm'])} after Holm)"


def _mean_sd(name: str, values: Sequence[float]) -> dict[str, float | None]:
    return {name: mean(values), f"{name}_sd": stdev(values) if len(values) > 1 else None}
