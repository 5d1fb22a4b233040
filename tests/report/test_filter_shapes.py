"""The picture of a search over the shapes of a filter."""

from __future__ import annotations

from typing import Any

from audionas.report.blocks import Pictures
from audionas.report.filter_shapes import draw_filter_shapes, shape_pictures, shape_points
from audionas.report.trials import trial_lines


def trial(number: int, filters: str, wa: float | None = None) -> list[dict[str, Any]]:
    proposed = {"event": "proposed", "number": number, "sample": {"filters": filters}, "hash": "a" * 64}
    if wa is None:
        return [proposed, {"event": "finished", "number": number, "status": "failed", "error": "no"}]
    score = {"ua": wa - 0.1, "wa": wa, "loss": 1.0, "balanced_loss": 1.0, "parameters": 9}
    return [proposed, {"event": "finished", "number": number, "status": "done", "score": score}]


EVENTS = [
    *trial(0, "10x2", 0.7), *trial(1, "2x8", 0.8), *trial(2, "2x2", 0.5), *trial(3, "100x2", 0.75),
    *trial(4, "6x2"), *trial(5, "3x3", 0.9), *trial(6, "10x2+2x8", 0.95),
]  # fmt: skip


def test_points_are_the_finished_trials_of_one_filter() -> None:
    found = shape_points(EVENTS, trial_lines(EVENTS))
    assert [(height, width, wa) for height, width, _, wa in found] == [
        (10, 2, 0.7), (2, 8, 0.8), (2, 2, 0.5), (100, 2, 0.75), (3, 3, 0.9),
    ]  # fmt: skip


def test_each_panel_has_the_shapes_of_its_scan_in_order_of_size() -> None:
    figure = draw_filter_shapes(shape_points(EVENTS, trial_lines(EVENTS)), ("UA", "WA"))
    assert figure
    height, width = figure.axes
    assert height.lines[1].get_xydata().tolist() == [[2, 0.5], [10, 0.7], [100, 0.75]]  # type: ignore[union-attr]
    assert width.lines[1].get_xydata().tolist() == [[2, 0.5], [8, 0.8]]  # type: ignore[union-attr]
    assert height.lines[0].get_ydata().tolist() == [0.4, 0.6, 0.65]  # type: ignore[union-attr]
    assert (height.get_xlabel(), width.get_xlabel()) == (
        "height of the filter, features",
        "width of the filter, frames",
    )
    assert [text.get_text() for text in height.get_legend().get_texts()] == ["UA", "WA"]  # type: ignore[union-attr]


def test_a_search_of_other_things_has_no_such_picture() -> None:
    events = [dict(event, sample={"channels": "8"}) if "sample" in event else event for event in EVENTS]
    assert shape_pictures(events, trial_lines(events), Pictures()) == []
    assert shape_pictures(EVENTS[:2], trial_lines(EVENTS[:2]), Pictures()) == []  # one point is no scan
    assert len(shape_pictures(EVENTS, trial_lines(EVENTS), Pictures())) == 1
