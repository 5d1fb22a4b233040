"""The table of a second task on the page."""

from __future__ import annotations

from typing import Any

from audionas.report.second_task_tables import second_task_tables

FOLDS = [
    {"split": "1", "seed": 0, "column": "sex", "n_clips": 8, "ua": 0.5, "wa": 0.75},
    {"split": "2", "seed": 0, "column": "sex", "n_clips": 1, "ua": 1.0, "wa": 1.0},
]
POOLED: dict[str, Any] = {
    "column": "sex", "labels": ["a", "b"], "seeds": [0], "n_clips": 9, "ua": 0.6, "ua_sd": None, "wa": 0.7,
    "wa_sd": None, "per_fold": FOLDS,
}  # fmt: skip


def test_pooled_scores_stand_above_those_of_the_folds() -> None:
    (table,) = second_task_tables({"second_task": POOLED})
    assert table.title == "Second task: sex (a, b), 9 test clips with a value"
    assert table.rows == (
        ("pooled", "0", "9", "0.600", "0.700"), ("1", "0", "8", "0.500", "0.750"), ("2", "0", "1", "1.000", "1.000"),
    )  # fmt: skip


def test_of_several_seeds_the_sd_is_told() -> None:
    (table,) = second_task_tables({"second_task": {**POOLED, "seeds": [0, 1], "ua_sd": 0.1, "wa_sd": 0.2}})
    assert table.rows[0][1] == "all"
    assert "0.100" in table.rows[0][3]


def test_without_a_second_task_or_its_values_there_is_no_table() -> None:
    assert second_task_tables({}) == []
    assert second_task_tables({"second_task": {"column": "sex", "n_clips": 0, "per_fold": []}}) == []
