"""The alphas of a recurrent supernet on the page: what each node does, and what it reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from audionas.report.blocks import Picture, Pictures
from audionas.report.curves import HEAT_ROW, WIDTH, alpha_weights
from audionas.report.run_files import JsonObject, SearchRun
from audionas.report.svg import drawing, new_figure
from audionas.report.trial_genotypes import search_space
from audionas.spaces import DartsRecurrentSpace, RecurrentGenotype

KINDS = (("operations", "Operations"), ("inputs", "Inputs"))
_WEIGHTS = {
    "softmax": "softmax of the decision's alphas",
    "softmax, edges normalised": "softmax of the decision's alphas, to which of an input the node's betas are added",
    "gumbel softmax": "softmax of the decision's alphas, without the noise that the training adds",
    "binary gates": "softmax of the decision's alphas, by which the training draws one path at a time",
    "sigmoid": "sigmoid of each alpha, each for itself, so that they need not sum to 1",
}


def alpha_note(epoch: JsonObject) -> str:
    """What the tables show."""
    mixing = str(epoch.get("mixing", "softmax"))
    return (
        f"Weight of an option = {_WEIGHTS.get(mixing, mixing)}. Every node has an operation and an input a, which each "
        "operation reads; sums and products read b too, blends b and c. In every recipe n0 is the linear node of x and "
        "the states, and h_new_0 is made of the last node. Framed: kept in the genotype; it does not need what has no "
        "frame."
    )


def alpha_tables(search: SearchRun, pictures: Pictures) -> list[Picture]:
    """The weights of all operations and of all inputs after the last epoch; nothing where they are not on record."""
    last, space = search.epochs[-1], search_space(search)
    if not isinstance(space, DartsRecurrentSpace) or not last.get("alphas") or not last.get("genotype"):
        return []
    kept, rows_of = kept_choices(space, last["genotype"]), choice_rows(space, last)
    drawn = []
    for kind, title in KINDS:
        rows = rows_of[kind]
        columns = space.ops if kind == "operations" else space.sources(space.nodes.max - 1)
        figure = draw_choice_heat(rows, columns, kept)
        drawn.append(pictures.make(f"{title}: weights after epoch {int(last['epoch']) + 1}", figure))
    return drawn


def kept_choices(space: DartsRecurrentSpace, recipe: JsonObject) -> dict[str, str]:
    """Decision -> option of those that a recipe needs."""
    sample = space.sample(RecurrentGenotype.from_recipe(recipe, "epochs.jsonl"))
    return {label: sample[label] for label in space.needed(sample)}


def choice_rows(space: DartsRecurrentSpace, epoch: JsonObject) -> dict[str, dict[str, dict[str, float]]]:
    """Kind -> decision -> option -> weight after an epoch."""
    choices = space.choices()
    return {
        kind: {
            label: dict(zip(choices[label], weights, strict=True)) for label, weights in _weights(epoch, kind).items()
        }
        for kind, _ in KINDS
    }


def _weights(epoch: JsonObject, kind: str) -> dict[str, list[float]]:
    """Decision -> weights that the derivation read; of a line without them the softmax of the alphas."""
    logged: dict[str, list[float]] | None = (epoch.get("weights") or {}).get(kind)
    return logged or {label: alpha_weights([alphas])[0].tolist() for label, alphas in epoch["alphas"][kind].items()}


def draw_choice_heat(
    rows: Mapping[str, Mapping[str, float]], columns: Sequence[str], kept: Mapping[str, str]
) -> Figure:
    """Weights of decisions, one row each, as a table of colours; options that a decision has not stay empty.

    Args:
        rows: decision -> option -> weight.
        columns: all options.
        kept: decision -> the option that is framed.
    """
    weights = np.array([[options.get(column, np.nan) for column in columns] for options in rows.values()])
    top = max(0.5, float(np.nanmax(weights)))
    with drawing():
        figure = new_figure(WIDTH, 95 + HEAT_ROW * len(rows))
        axes = figure.add_subplot()
        axes.imshow(weights, cmap="Blues", vmin=0, vmax=top, aspect="auto")
        for row, column in np.argwhere(np.isfinite(weights)):
            value = float(weights[row, column])
            colour = "white" if value / top > 0.6 else "#1c1f24"
            axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=8, color=colour)
        for row, label in enumerate(rows):
            if label in kept:
                corner = (list(columns).index(kept[label]) - 0.5, row - 0.5)
                axes.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor="#c2570c", linewidth=2, clip_on=False))
        axes.set_xticks(range(len(columns)), columns, rotation=40, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(rows)), [decision_name(label) for label in rows])
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    return figure


def decision_name(label: str) -> str:
    """A decision as a row's name.

    >>> decision_name("n3_op"), decision_name("n3_b")
    ('n3', 'n3, input b')
    """
    node, _, what = label.partition("_")
    return node if what == "op" else f"{node}, input {what}"
