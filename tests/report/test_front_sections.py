"""The front of a search with several objectives on the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audionas.report.blocks import Pictures
from audionas.report.front_sections import draw_front, front_pictures, front_table
from audionas.report.run_files import SearchRun
from audionas.report.trials import TrialLine

FRONT: dict[str, Any] = {
    "objective": "ua", "costs": ["parameters", "macs_per_second"], "compared": 4,
    "points": [
        {"file": "front/1.json", "trial": 2, "hash": "c" * 64, "ua": 0.8, "parameters": 3000, "macs_per_second": 2.5e6},
        {"file": "front/2.json", "trial": 0, "hash": "a" * 64, "ua": 0.6, "parameters": 1000, "macs_per_second": 1.5e6},
    ],
}  # fmt: skip
LINES = [
    TrialLine(0, "a", "done", ua=0.6, parameters=1000, costs={"macs_per_second": 1.5e6}),
    TrialLine(1, "b", "done", ua=0.5, parameters=2000, costs={"macs_per_second": 2.0e6}),
    TrialLine(2, "c", "done", ua=0.8, parameters=3000, costs={"macs_per_second": 2.5e6}),
    TrialLine(3, "d", "failed"),
]


def search(front: dict[str, Any] | None) -> SearchRun:
    return SearchRun(Path("run"), {}, (), (), None, front=front)


def test_the_line_of_the_picture_joins_the_front_and_other_trials_are_dots() -> None:
    figure = draw_front(LINES, FRONT, "parameters")
    assert figure
    axes = figure.axes[0]
    assert axes.lines[0].get_xydata().tolist() == [[1000, 0.6], [3000, 0.8]]  # type: ignore[union-attr]
    assert axes.collections[0].get_offsets().tolist() == [[2000, 0.5]]  # type: ignore[union-attr]
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.yaxis_inverted()) == ("parameters", "UA", False)


def test_of_a_loss_better_is_up_too() -> None:
    lines = [TrialLine(0, "a", "done", loss=0.4, parameters=10), TrialLine(1, "b", "done", loss=0.9, parameters=10)]
    front = {"objective": "loss", "costs": ["parameters"], "compared": 2, "points": [{"trial": 0}]}
    figure = draw_front(lines, front, "parameters")
    assert figure
    assert figure.axes[0].yaxis_inverted()


def test_there_is_a_picture_for_each_cost_and_a_row_for_each_genotype() -> None:
    pictures = front_pictures(search(FRONT), LINES, Pictures())
    assert [each.title for each in pictures] == [
        "Front: UA against parameters", "Front: UA against MACs per second of audio",
    ]  # fmt: skip
    (table,) = front_table(search(FRONT), "UA")
    assert table.title == "The front (2 of 4 trials)"
    assert table.rows[0] == ("front/1.json", "3", "0.800", "3,000", "2.5e+06", "c" * 12)
    assert "no results" in table.note


def test_a_search_with_one_objective_has_no_front() -> None:
    assert front_pictures(search(None), LINES, Pictures()) == front_table(search(None), "UA") == []
    assert draw_front(LINES[3:], FRONT, "parameters") is None
