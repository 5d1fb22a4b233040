"""The results table as CSV: one row a system, plain numbers with their units in the column names."""

from __future__ import annotations

import csv
from collections.abc import Callable
from io import StringIO
from typing import Any

from audionas.report.result_rows import ResultRow, ResultTable

AFTER_SCORES = (
    "n_seeds", "n_parameters", "macs_per_second_of_audio", "clip_passes_forward", "clip_passes_backward",
    "device_hours", "wall_hours", "energy_joules", "cost_of", "n_groups", "n_clips", "run", "remark",
)  # fmt: skip


def columns(table: ResultTable) -> tuple[str, ...]:
    """Names of the columns: the scores are those of the task, those of a regression are no percentages."""
    (main, second), unit = (each.key for each in table.measures), "_percent" if table.is_in_percent else ""
    scores = (main, f"{main}_sd", f"{main}_low", f"{main}_high", "p_chance", second, f"{second}_sd")
    named = (name if name == "p_chance" else f"{name}{unit}" for name in scores)
    return ("system", "kind", *named, *AFTER_SCORES, *(() if table.is_ranked else ("differs_in",)))


def csv_text(table: ResultTable) -> str:
    """The table; an empty cell is a number that is not on record."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns(table))
    score = _percent if table.is_in_percent else _plain
    for row in table.rows:
        writer.writerow([*_cells(row, score), *(() if table.is_ranked else (row.rules,))])
    return text.getvalue()


def _cells(row: ResultRow, score: Callable[[float | None], str]) -> list[Any]:
    low, high = row.ua_interval or (None, None)
    cost = row.cost
    return [
        row.name, row.kind, score(row.ua), score(row.ua_sd), score(low), score(high), _number(row.p),
        score(row.wa), score(row.wa_sd), _number(row.n_seeds), _number(row.parameters),
        _number(row.macs_per_second), _number(cost.forward), _number(cost.backward), _hours(cost.device_seconds),
        _hours(cost.seconds), _number(cost.energy_joules), cost.what, _number(row.n_groups), _number(row.n_clips),
        row.run, row.remark,
    ]  # fmt: skip


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.2f}"


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _hours(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds / 3600:.5f}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"
