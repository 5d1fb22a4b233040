"""Mean and standard deviation of score records over trainings: what every table of scores holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean, stdev
from typing import Any


def mean_scores(records: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """`<score>` and `<score>_sd` of every number in the records (`ua`, `wa`, ...); sd is None of one record."""
    found: dict[str, float | None] = {}
    for key in [key for key, value in records[0].items() if isinstance(value, float)]:
        values = [float(record[key]) for record in records]
        found |= {key: mean(values), f"{key}_sd": stdev(values) if len(values) > 1 else None}
    return found
