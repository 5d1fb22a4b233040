"""The results table as CSV: one row a system, plain numbers with their units in the column names."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

from audionas.report.result_rows import ResultRow, ResultTable

COLUMNS = (
    "system", "kind", "ua_percent", "ua_sd_percent", "ua_low_percent", "ua_high_percent", "p_chance", "wa_percent",
    "wa_sd_percent", "n_seeds", "n_parameters", "macs_per_second_of_audio", "clip_passes_forward",
    "clip_passes_backward", "device_hours", "wall_hours", "energy_joules", "cost_of", "n_groups", "n_clips", "run",
    "remark",
)  # fmt: skip


def csv_text(table: ResultTable) -> str:
    """The table; an empty cell is a number that is not on record."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, *(() if table.is_ranked else ("differs_in",))])
    for row in table.rows:
        writer.writerow([*_cells(row), *(() if table.is_ranked else (row.rules,))])
    return text.getvalue()


def _cells(row: ResultRow) -> list[Any]:
    low, high = row.ua_interval or (None, None)
    cost = row.cost
    return [
        row.name, row.kind, _percent(row.ua), _percent(row.ua_sd), _percent(low), _percent(high), _number(row.p),
        _percent(row.wa), _percent(row.wa_sd), _number(row.n_seeds), _number(row.parameters),
        _number(row.macs_per_second), _number(cost.forward), _number(cost.backward), _hours(cost.device_seconds),
        _hours(cost.seconds), _number(cost.energy_joules), cost.what, _number(row.n_groups), _number(row.n_clips),
        row.run, row.remark,
    ]  # fmt: skip


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.2f}"


def _hours(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds / 3600:.5f}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"
