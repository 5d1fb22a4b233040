"""Genotypes as points: the supernet against retraining, and one retraining seed against the other."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from audionas.report.curves import COLOURS
from audionas.report.run_files import JsonObject
from audionas.report.svg import drawing, new_figure
from audionas.training.measures import scored_by

WIDTH, HEIGHT = 620.0, 270.0


def draw_ranking(ranked: Sequence[JsonObject]) -> Figure | None:
    """Two panels of UA (the task's main score); None without a genotype of which both trainings ended."""
    if not ranked:
        return None
    main = scored_by(ranked[0])
    lines = [line for line in ranked if all(each[main.key] is not None for each in line["retrained"])]
    if not lines:
        return None
    supernet = [line[f"supernet_{main.key}"] for line in lines]
    first, second = ([line["retrained"][which][main.key] for line in lines] for which in (0, 1))
    mean = [(a + b) / 2 for a, b in zip(first, second, strict=True)]
    panels = (
        (supernet, mean, "{} in the supernet", "{} trained alone, mean of two seeds", "supernet and retraining"),
        (first, second, "{} trained alone, seed 0", "{} trained alone, seed 1", "noise ceiling: two seeds"),
    )
    with drawing():
        figure = new_figure(WIDTH, HEIGHT)
        for number, (axes, (x, y, x_label, y_label, name)) in enumerate(
            zip(figure.subplots(1, 2), panels, strict=True)
        ):
            axes.scatter(x, y, s=16, color=COLOURS[number], alpha=0.7, linewidths=0)
            axes.set_xlabel(x_label.format(main.name))
            axes.set_ylabel(y_label.format(main.name))
            axes.set_title(name)
            axes.grid(color="#e6e8eb", linewidth=0.8)
            axes.set_axisbelow(True)
    return figure
