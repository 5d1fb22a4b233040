"""Pictures of scores without a confusion matrix: bars of labels, truth against prediction of a target."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from audionas.report.confusion import short
from audionas.report.svg import drawing, new_figure

BAR, GUESS = "#2166ac", "#c2570c"
ROW, MOST_BARS = 18.0, 60


def draw_label_bars(names: Sequence[str], heights: Sequence[float], guesses: Sequence[float]) -> Figure:
    """One bar a label, the best above; of more than 60 labels the 30 best and the 30 worst."""
    order = np.argsort(-np.asarray(heights), kind="stable")
    if len(order) > MOST_BARS:
        order = np.concatenate([order[: MOST_BARS // 2], order[-MOST_BARS // 2 :]])
    places = np.arange(len(order))
    with drawing():
        figure = new_figure(350, 60 + ROW * len(order))
        axes = figure.add_subplot()
        axes.barh(places, [heights[i] for i in order], color=BAR, height=0.7)
        axes.scatter([guesses[i] for i in order], places, marker="|", s=120, color=GUESS, zorder=3)
        axes.set_yticks(places, [short(names[i]) for i in order])
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        axes.set_xlabel("average precision")
    return figure


def draw_truth_and_prediction(truth: np.ndarray, predicted: np.ndarray, name: str) -> Figure:
    """Predicted (clips,) over true (clips,) numbers, on equal axes, with the line of exact predictions."""
    low, high = (float(edge(np.concatenate([truth, predicted]))) for edge in (np.min, np.max))
    room = 0.05 * (high - low or 1.0)
    with drawing():
        figure = new_figure(300, 300)
        axes = figure.add_subplot()
        axes.plot([low, high], [low, high], color="#8a8f98", linewidth=1)
        axes.scatter(truth, predicted, s=14, color=BAR, alpha=0.6, linewidths=0)
        axes.set_xlim(low - room, high + room)
        axes.set_ylim(low - room, high + room)
        axes.set_aspect("equal")
        axes.set_xlabel(f"true {short(name)}")
        axes.set_ylabel(f"predicted {short(name)}")
    return figure
