"""A confusion matrix: rows are the truth, colour is the share of the row, numbers are shares and counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from audionas.report.svg import drawing, new_figure

NUMBERED = 12  # up to so many classes each cell is written out
LONGEST_LABEL = 18


def draw_confusion(confusion: np.ndarray, labels: Sequence[str]) -> Figure:
    """Draw counts (classes, classes), rows truth, columns predicted; an empty row stays white."""
    n_classes = len(labels)
    totals = confusion.sum(axis=1, keepdims=True)
    shares = np.divide(confusion, totals, out=np.zeros(confusion.shape), where=totals > 0)
    cell = min(58.0, max(10.0, 280.0 / n_classes))
    names = [short(label) for label in labels]
    margin = 40 + 5.5 * max(len(name) for name in names)
    size = 8 if n_classes > NUMBERED else 9
    with drawing():
        figure = new_figure(margin + cell * n_classes, margin + cell * n_classes)
        axes = figure.add_subplot()
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        if n_classes <= NUMBERED:
            for row, column in np.ndindex(n_classes, n_classes):
                share, count = shares[row, column], int(confusion[row, column])
                text = f"{share:.2f}\n{count}" if cell >= 30 else str(count)
                axes.text(
                    column, row, text, ha="center", va="center", fontsize=9 if cell >= 36 else 8,
                    color="white" if share > 0.6 else "#1c1f24",
                )  # fmt: skip
        axes.set_xticks(range(n_classes), names, rotation=45, ha="right", rotation_mode="anchor", fontsize=size)
        axes.set_yticks(range(n_classes), names, fontsize=size)
        axes.set_xlabel("predicted")
        axes.set_ylabel("truth")
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    return figure


def short(label: str) -> str:
    """A label on one line, cut to what fits beside a picture.

    >>> short("neither happy nor particularly sad")
    'neither happy nor…'
    """
    line = " ".join(label.split())
    return line if len(line) <= LONGEST_LABEL else line[: LONGEST_LABEL - 1].rstrip() + "…"
