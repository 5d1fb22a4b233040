"""Arms of a comparison as points on one axis: every run of each arm, random architectures as a distribution."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import mean

from matplotlib.figure import Figure

from audionas.report.curves import COLOURS
from audionas.report.run_files import JsonObject
from audionas.report.svg import drawing, new_figure
from audionas.training.measures import measure_of_key

WIDTH, ROW_HEIGHT, MARGIN = 620.0, 34.0, 56.0


def draw_arms(arms: Mapping[str, JsonObject]) -> Figure | None:
    """One row an arm: a point for each run and seed, a stroke for their mean, a line for the interval over groups."""
    rows = [(name, arm) for name, arm in arms.items() if arm.get("each")]
    if not rows:
        return None
    with drawing():
        figure = new_figure(WIDTH, MARGIN + ROW_HEIGHT * len(rows))
        axes = figure.subplots()
        for place, (_, arm) in enumerate(rows):
            each, colour = list(arm["each"]), COLOURS[place % len(COLOURS)]
            if arm.get("interval"):
                axes.plot(arm["interval"], [place, place], color=colour, alpha=0.35, linewidth=5, solid_capstyle="butt")
            axes.scatter(each, [place] * len(each), s=18, color=colour, alpha=0.7, linewidths=0)
            axes.plot([mean(each)] * 2, [place - 0.3, place + 0.3], color=colour, linewidth=2)
        axes.set_yticks(range(len(rows)), [name for name, _ in rows])
        axes.invert_yaxis()
        axes.set_xlabel(measure_of_key(str(rows[0][1].get("score", "ua"))).name)
        axes.grid(axis="x", color="#e6e8eb", linewidth=0.8)
        axes.set_axisbelow(True)
    return figure
