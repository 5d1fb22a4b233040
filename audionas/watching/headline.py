"""The headline of a `metrics.json` in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audionas.training.measures import measures_of


def headline_texts(metrics: Mapping[str, Any] | None) -> tuple[tuple[str, str], ...]:
    """`headline` with the scores of a retraining, a fusion (of its best row by name) or an evaluation; else nothing."""
    found = (metrics or {}).get("headline") or (metrics or {}).get("all_splits")
    if not metrics or not isinstance(found, Mapping):
        return ()
    name = "headline" if metrics.get("headline") else "over all folds"
    if isinstance(found.get("rows"), list):
        return tuple((str(row.get("name")), _scores(row, metrics)) for row in found["rows"] if _scores(row, metrics))
    text = _scores(found, metrics)
    return ((name, text),) if text else ()


def _scores(found: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    words = []
    for measure in measures_of(metrics):
        value, spread = found.get(measure.key), found.get(f"{measure.key}_sd")
        bounds = found.get(f"{measure.key}_interval")
        if isinstance(value, int | float):
            text = f"{measure.name} {value:.3f}" + (f" +- {spread:.3f}" if spread is not None else "")
            words.append(text + (f" [{bounds[0]:.3f}, {bounds[1]:.3f}]" if bounds else ""))
    return ", ".join(words)
