"""Regret against evaluations, one line a strategy, with the 95 % interval of the mean over seeds."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import stats

N_COLOURS = 10


def plot(found: dict[str, NDArray[np.float64]], title: str, out: Path, made_up: Collection[str] = ()) -> None:
    """Write `out`.svg and `out`.png.

    Args:
        found: strategy -> (seeds, evaluations) regret in points of accuracy; NaN before a network is trained whole.
        made_up: the strategies whose shorter trainings are made up, which their labels say.
    """
    mpl.rcParams["svg.hashsalt"] = "regret"  # equal input gives equal files
    figure = Figure(figsize=(7.5, 4.5), layout="constrained")
    axes = figure.subplots()
    for place, (name, curves) in enumerate(sorted(found.items())):
        x, mean = np.arange(1, curves.shape[1] + 1), curves.mean(axis=0)
        half = stats.t.ppf(0.975, len(curves) - 1) * curves.std(axis=0, ddof=1) / np.sqrt(len(curves))
        label = f"{name} (made-up shorter trainings)" if name in made_up else name
        style = "--" if name == "random" else ":" if name in made_up or place >= N_COLOURS else "-"
        axes.plot(x, mean, label=label, color=f"C{place % N_COLOURS}", linestyle=style)
        axes.fill_between(
            x, np.maximum(mean - half, 0), mean + half, color=f"C{place % N_COLOURS}", alpha=0.15, linewidth=0
        )
    axes.set_yscale("symlog", linthresh=0.1)
    axes.set_ylim(0, 3)
    axes.set(xlabel="whole trainings", ylabel="regret (points of accuracy)", title=title)
    axes.title.set_fontsize(9)
    axes.legend(fontsize=7)
    axes.grid(alpha=0.3)
    figure.savefig(out.with_suffix(".svg"), metadata={"Date": None})
    figure.savefig(out.with_suffix(".png"), dpi=110, metadata={"Software": None})
