"""Scores of one-layer networks over the shape of their filters, as figure 2 of Li et al. 2018 shows them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

from audionas.report.blocks import Picture, Pictures
from audionas.report.curves import COLOURS
from audionas.report.svg import drawing, new_figure
from audionas.report.trials import TrialLine

DECISION = "filters"
SCANNED = 2  # the side that stays as it is in the paper's two scans
WIDTH, HEIGHT = 560.0, 380.0
_SHAPE = re.compile(r"(\d+)x(\d+)")
_CAPTION = (
    "One dot a trial. Above: the height changes and the width stays {side}; below the other way round (Li et al. 2018, "
    "figure 2). Validation clips, used to choose."
)

Point = tuple[int, int, float, float]  # features, frames, main score, second score


def shape_pictures(
    events: Sequence[Mapping[str, Any]], lines: Sequence[TrialLine], pictures: Pictures
) -> list[Picture]:
    """The scan's picture, of a search that chose among shapes of one filter; else nothing."""
    points = shape_points(events, lines)
    figure = draw_filter_shapes(points, (lines[0].main, lines[0].second)) if points else None
    return [pictures.make("Filter shapes", figure, _CAPTION.format(side=SCANNED))] if figure else []


def shape_points(events: Sequence[Mapping[str, Any]], lines: Sequence[TrialLine]) -> list[Point]:
    """Shape and scores of every finished trial whose sample names the shape of one filter."""
    samples = {event["number"]: event.get("sample") or {} for event in events if event.get("event") == "proposed"}
    points = []
    for line in lines:
        shape = _SHAPE.fullmatch(str(samples.get(line.number, {}).get(DECISION, "")))
        if shape and line.ua is not None and line.wa is not None:
            points.append((int(shape[1]), int(shape[2]), line.ua, line.wa))
    return points


def draw_filter_shapes(points: Sequence[Point], names: tuple[str, str]) -> Figure | None:
    """Two panels, the height over a width of 2 and the width over a height of 2; None where neither has two points.

    Args:
        names: of the two scores.
    """
    scans = (
        ("height of the filter, features", sorted((p[0], p[2], p[3]) for p in points if p[1] == SCANNED)),
        ("width of the filter, frames", sorted((p[1], p[2], p[3]) for p in points if p[0] == SCANNED)),
    )
    drawn = [(label, scan) for label, scan in scans if len(scan) > 1]
    if not drawn:
        return None
    with drawing():
        figure = new_figure(WIDTH, HEIGHT * len(drawn) / 2)
        for axes, (label, scan) in zip(figure.subplots(len(drawn), 1, squeeze=False)[:, 0], drawn, strict=True):
            _draw_scan(axes, scan, names)
            axes.set_xlabel(label)
    return figure


def _draw_scan(axes: Axes, scan: Sequence[tuple[int, float, float]], names: tuple[str, str]) -> None:
    sides = [point[0] for point in scan]
    for which, name in enumerate(names):
        axes.plot(sides, [point[1 + which] for point in scan], "-o", color=COLOURS[which], markersize=3.5, label=name)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator([side for side in sides if side in _TICKS] or sides))
    axes.xaxis.set_major_formatter("{x:.0f}")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_ylabel("validation score")
    axes.grid(color="#e6e8eb", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.legend(loc="best", ncols=2)


_TICKS = {2, 4, 6, 8, 10, 14, 20, 30, 40, 60, 80, 100}
