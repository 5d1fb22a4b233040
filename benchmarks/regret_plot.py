"""Regret against evaluations, one line a strategy, with the 95 % interval of the mean over seeds."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import stats


def plot(found: dict[str, NDArray[np.float64]], title: str, out: Path) -> None:
    """Write `out`.svg and `out`.png. `found`: strategy -> (seeds, evaluations) regret in points of accuracy."""
    mpl.rcParams["svg.hashsalt"] = "regret"  # equal input gives equal files
    figure = Figure(figsize=(7.5, 4.5), layout="constrained")
    axes = figure.subplots()
    for colour, (name, curves) in enumerate(sorted(found.items())):
        x, mean = np.arange(1, curves.shape[1] + 1), curves.mean(axis=0)
        half = stats.t.ppf(0.975, len(curves) - 1) * curves.std(axis=0, ddof=1) / np.sqrt(len(curves))
        axes.plot(x, mean, label=name, color=f"C{colour}", linestyle="--" if name == "random" else "-")
        axes.fill_between(x, np.maximum(mean - half, 0), mean + half, color=f"C{colour}", alpha=0.2, linewidth=0)
    axes.set_yscale("symlog", linthresh=0.1)
    axes.set_ylim(0, 3)
    axes.set(xlabel="evaluations", ylabel="regret (points of accuracy)", title=title)
    axes.title.set_fontsize(9)
    axes.legend()
    axes.grid(alpha=0.3)
    figure.savefig(out.with_suffix(".svg"), metadata={"Date": None})
    figure.savefig(out.with_suffix(".png"), dpi=110, metadata={"Software": None})
