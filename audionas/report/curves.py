"""Curves over epochs: losses, UA, entropy, and the architecture parameters (alphas) of every edge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from audionas.report.cells import node_name
from audionas.report.op_colours import line_styles
from audionas.report.svg import drawing, new_figure

WIDTH, HEIGHT = 350.0, 230.0
PANEL_HEIGHT, LEGEND_LINE, HEAT_ROW = 100.0, 15.0, 19.0
COLOURS = ("#2166ac", "#c2570c", "#1b7837", "#762a83", "#8c510a", "#01665e", "#b2182b", "#4d4d4d")


@dataclass(frozen=True)
class Line:
    """One named curve; a value of None leaves a gap."""

    name: str
    epochs: tuple[int, ...]
    values: tuple[float | None, ...]
    colour: str = COLOURS[0]
    dashes: str = "-"


def draw_lines(
    lines: Sequence[Line],
    *,
    y_label: str,
    y_range: tuple[float, float] | None = None,
    chance: float | None = None,
    x_label: str = "epoch",
) -> Figure:
    """Curves over epochs with a legend below; `chance` draws the level of guessing."""
    named = sum(bool(line.name) for line in lines) + (chance is not None)
    with drawing():
        figure = new_figure(WIDTH, HEIGHT + LEGEND_LINE * ceil(named / 2))
        axes = figure.add_subplot()
        for line in lines:
            values = _floats(line.values)
            mark = "o" if np.isfinite(values).sum() <= 30 else None
            axes.plot(
                line.epochs, values, line.dashes, color=line.colour, marker=mark, markersize=3, linewidth=1.6,
                label=line.name or None,
            )  # fmt: skip
        if chance is not None:
            axes.axhline(chance, color="#8a8f98", linewidth=1, linestyle=":", label=f"chance ({chance:.2f})")
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        if y_range:
            axes.set_ylim(*y_range)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, min_n_ticks=1))
        axes.ticklabel_format(axis="y", useOffset=False)
        axes.grid(axis="y", color="#e6e8eb", linewidth=0.8)
        if named:
            figure.legend(loc="outside lower center", ncols=min(named, 2))
    return figure


def alpha_weights(alphas: Sequence[Sequence[float]]) -> np.ndarray:
    """Softmax of raw alphas over the operations of each edge: (edges, ops), rows sum to 1."""
    raw = np.asarray(alphas, dtype=np.float64)
    powers = np.exp(raw - raw.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def draw_alpha_lines(
    epochs: Sequence[int], alphas: np.ndarray, edges: Sequence[tuple[int, int]], ops: Sequence[str]
) -> Figure:
    """Weight of each operation over the epochs, one panel an edge.

    Args:
        epochs: as shown on the axis.
        alphas: (epochs, edges, ops), weights.
        edges: (node, input node) of each edge.
        ops: names of the operations.
    """
    n_rows = ceil(len(edges) / 2)
    n_legend_columns = 2
    with drawing():
        height = n_rows * PANEL_HEIGHT + LEGEND_LINE * ceil(len(ops) / n_legend_columns) + 30
        figure = new_figure(WIDTH, height)
        panels = figure.subplots(n_rows, 2, sharex=True, sharey=True, squeeze=False)
        for i, axes in enumerate(panels.flat):
            if i >= len(edges):
                axes.set_visible(False)
                continue
            for values, (colour, dashes), op in zip(alphas[:, i].T, line_styles(ops), ops, strict=True):
                axes.plot(epochs, values, dashes, color=colour, linewidth=1.4, label=op)
            axes.set_title(edge_name(edges[i]))
            axes.set_ylim(0, max(0.3, float(alphas.max()) * 1.05))
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5, min_n_ticks=1))
        handles, names = panels[0][0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=n_legend_columns)
        for axes in panels.flat[max(0, len(edges) - 2) : len(edges)]:
            axes.set_xlabel("epoch")
            axes.tick_params(labelbottom=True)
        figure.supylabel("weight", fontsize="medium")
    return figure


def draw_alpha_heat(
    weights: np.ndarray,
    edges: Sequence[tuple[int, int]],
    ops: Sequence[str],
    kept: Sequence[tuple[int, int, str]],
) -> Figure:
    """Weights (edges, ops) of one epoch as a table of colours; kept (node, input node, op) are framed."""
    with drawing():
        figure = new_figure(WIDTH, 95 + HEAT_ROW * len(edges))
        axes = figure.add_subplot()
        axes.imshow(weights, cmap="Blues", vmin=0, vmax=max(0.5, float(weights.max())), aspect="auto")
        for row, column in np.ndindex(*weights.shape):
            value = float(weights[row, column])
            shade = value / max(0.5, float(weights.max()))
            axes.text(
                column, row, f"{value:.2f}", ha="center", va="center", fontsize=8,
                color="white" if shade > 0.6 else "#1c1f24",
            )  # fmt: skip
        for node, source, op in kept:
            if (node, source) in edges and op in ops:
                corner = (ops.index(op) - 0.5, list(edges).index((node, source)) - 0.5)
                axes.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor="#c2570c", linewidth=2, clip_on=False))
        axes.set_xticks(range(len(ops)), ops, rotation=40, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(edges)), [edge_name(edge) for edge in edges])
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    return figure


def edge_name(edge: tuple[int, int]) -> str:
    """An edge in words.

    >>> edge_name((2, 0))
    'c_{k-2} → 2'
    """
    node, source = edge
    return f"{node_name(source)} → {node}"


def _floats(values: Sequence[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
