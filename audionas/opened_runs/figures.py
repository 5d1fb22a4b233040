"""Pictures of a run as matplotlib figures, drawn as its report draws them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from audionas.errors import RunError, unknown
from audionas.report.cells import draw_cell
from audionas.report.confusion import draw_confusion
from audionas.report.curves import COLOURS, Line, draw_lines
from audionas.report.recipes import draw_recipe
from audionas.report.run_files import SearchRun
from audionas.report.trials import draw_trials, trial_lines
from audionas.spaces import BaselineGenotype, Genotype, RecurrentGenotype

CELLS = {"normal": "Normal cell", "reduce": "Reduction cell"}


def cell(genotype: Genotype, name: str, where: str) -> Figure:
    """One cell of a CNN genotype, or a recurrent recipe.

    Raises:
        RunError: there is no cell of this name, or none at all.
    """
    if isinstance(genotype, BaselineGenotype):
        raise RunError(f"{where}: {genotype.name} is a hand-made system and has no cells")
    if isinstance(genotype, RecurrentGenotype):
        return draw_recipe(genotype)
    if name not in CELLS:
        raise RunError(f"{where}: {unknown('cell', name, CELLS)}")
    concat = getattr(genotype, f"{name}_concat")
    edges = getattr(genotype, name)
    return draw_cell(edges, edges_per_node=genotype.edges_per_node, concat=concat, title=CELLS[name])


def trials(search: SearchRun) -> Figure:
    """The objective of each trial against its parameters.

    Raises:
        RunError: no trial has both.
    """
    figure = draw_trials(trial_lines(search.trials), search.objective)
    if figure is None:
        raise RunError(f"{search.folder}: no trial has a score yet")
    return figure


def supernet(search: SearchRun) -> Figure:
    """Losses on both parts of a one-shot search.

    Raises:
        RunError: there is no epoch yet, or none at all.
    """
    if not search.epochs:
        raise RunError(f"{search.folder}: there are no epochs; a search by trials is drawn by plot_trials")
    drawn = (("weights_loss", "loss on the weights part", "-"), ("alphas_loss", "loss on the alphas part", "--"))
    lines = [
        _line(name, [epoch.get(key) for epoch in search.epochs], COLOURS[i], dashes)
        for i, (key, name, dashes) in enumerate(drawn)
    ]
    return draw_lines([line for line in lines if line.epochs], y_label="loss")


def trainings(epochs: pd.DataFrame, where: Path) -> Figure:
    """The training loss of every network of a retraining, one colour a test fold.

    Raises:
        RunError: there is no epoch yet.
    """
    if "train_loss" not in epochs:
        raise RunError(f"{where}: there are no epochs yet")
    splits = list(dict.fromkeys(epochs["split"]))
    lines, named = [], set()
    for (split, _), part in epochs.groupby(["split", "seed"], sort=False):
        name = "" if split in named else f"test fold {split}"
        named.add(split)
        lines.append(_line(name, part["train_loss"].tolist(), COLOURS[splits.index(split) % len(COLOURS)], "-"))
    return draw_lines(lines, y_label="training loss")


def confusion(metrics: Mapping[str, Any], where: Path) -> Figure:
    """Counts over the headline's test folds and all seeds.

    Raises:
        RunError: the labels are no classes, or the run has no fold of its own.
    """
    scores = metrics.get("headline") or metrics.get("all_splits") or {}
    names = set(map(str, scores.get("splits") or ()))
    folds = [fold for fold in metrics.get("per_fold") or () if str(fold["split"]) in names and "confusion" in fold]
    if not folds:
        raise RunError(f"{where}: has no confusion matrix; retrainings of a classification have")
    counts = np.sum([np.asarray(fold["confusion"], dtype=np.int64) for fold in folds], axis=0)
    return draw_confusion(counts, [str(label) for label in metrics["labels"]])


def _line(name: str, values: Sequence[float | None], colour: str, dashes: str) -> Line:
    """A curve whose epochs are shown from 1."""
    points = [(number + 1, value) for number, value in enumerate(values) if value is not None]
    return Line(name, tuple(x for x, _ in points), tuple(y for _, y in points), colour, dashes)
