"""The table of groups: worst first, few clips marked, absent where groups are not known."""

from __future__ import annotations

from typing import Any

from audionas.report.blocks import Table
from audionas.report.group_tables import group_tables


def record(group: str, ua: float, n_clips: int = 20) -> dict[str, Any]:
    return {
        "group": group,
        "n_clips": n_clips,
        "ua": ua,
        "ua_sd": 0.01,
        "wa": ua,
        "wa_sd": 0.01,
        "is_small": n_clips < 10,
    }


def test_the_worst_group_stands_first_and_small_ones_are_marked() -> None:
    records = [record("a", 0.9), record("b", 0.5), record("c", 0.7, 3)]
    worst = {"group": "b", "score": "ua"}
    (table,) = group_tables({"per_group": records, "worst_group": worst, "headline": {"seeds": [0, 1]}})
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == ["b", "c", "a"]
    assert [row[-1] for row in table.rows] == ["worst group", "few clips", ""]
    assert table.head[:3] == ("group", "UA", "WA")
    assert table.rows[0][1].startswith("0.500 ± 0.010")


def test_a_run_without_known_groups_has_no_such_table() -> None:
    assert group_tables({"per_group": [], "worst_group": None}) == []
    assert group_tables({}) == [], "metrics of before there were group scores"
