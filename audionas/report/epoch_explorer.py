"""The slider over the epochs of a one-shot search: cells after each, the alphas, and where cells changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from audionas.report.blocks import Block, Notes
from audionas.report.cells import CELLS
from audionas.report.curves import edge_name
from audionas.report.drawing_list import WEIGHT, Drawings
from audionas.report.explorer import Explorer
from audionas.report.genotype_changes import changes_of, changes_sentence, logged
from audionas.report.one_shot_sections import op_weights
from audionas.report.op_colours import colour_of
from audionas.report.recipes import MOST_DRAWN, recipe_in_words
from audionas.report.recurrent_alphas import KINDS, choice_rows, decision_name, kept_choices
from audionas.report.run_files import JsonObject, SearchRun
from audionas.report.trial_explorer import drawn_cell
from audionas.report.trial_genotypes import search_space
from audionas.spaces import DartsRecurrentSpace, RecurrentGenotype
from audionas.spaces.cnn_genotype import node_edges

Place = tuple[int, int]  # row and column of a table of weights


def epoch_explorer(search: SearchRun, still: Sequence[Block]) -> list[Block]:
    """The slider with its cells and tables; the pictures alone where fewer than two epochs have a genotype."""
    epochs = logged(search)
    if len(epochs) < 2:
        return list(still)
    still = [*still, Notes((changes_sentence(epochs),))]
    genotypes: list[JsonObject] = []
    for epoch in epochs:
        if epoch["genotype"] not in genotypes:
            genotypes.append(epoch["genotype"])
    space = search_space(search)
    if "normal" in genotypes[0]:
        part = _cnn(epochs, genotypes)
    elif isinstance(space, DartsRecurrentSpace):
        part = _recurrent(epochs, genotypes, space)
    else:
        return list(still)
    data = {
        "kind": "epochs",
        "epochs": [int(epoch["epoch"]) + 1 for epoch in epochs],
        "changes": changes_of(epochs),
        "note": changes_sentence(epochs),
        "of": [genotypes.index(epoch["genotype"]) for epoch in epochs],
        **part,
    }
    return [Explorer(data, tuple(still))]


def _cnn(epochs: Sequence[JsonObject], genotypes: Sequence[JsonObject]) -> dict[str, Any]:
    """Drawings, tables and genotypes of CNN cells."""
    last = epochs[-1]
    kinds = [(name, title) for name, title in CELLS if all(genotype.get(name) for genotype in genotypes)]
    has_weights = bool(last.get("ops") and last.get("edges")) and all(epoch.get("alphas") for epoch in epochs)
    ops, edges = [str(op) for op in last.get("ops") or []], [(int(n), int(s)) for n, s in last.get("edges") or []]
    tables = [
        {
            "title": f"{title}: weights",
            "rows": [edge_name(edge) for edge in edges],
            "columns": ops,
            "weights": [np.round(op_weights(epoch, name), 3).tolist() for epoch in epochs],
        }
        for name, title in kinds
        if has_weights
    ]
    drawings, shown = Drawings(), []
    names = {str(op) for genotype in genotypes for name, _ in kinds for op, _ in genotype[name]}
    widest = max(map(len, names)) + (len(WEIGHT) if has_weights else 0)
    for genotype in genotypes:
        places = [_places(genotype, name, edges, ops) for name, _ in kinds]
        drawn = [
            [*drawn_cell(drawings, genotype, name, title, widest), table if has_weights else -1, places[table]]
            for table, (name, title) in enumerate(kinds)
        ]
        kept = [[place for place in own if place] for own in places] if has_weights else []
        shown.append({"drawn": drawn, "words": [], "kept": kept})
    return {
        "colours": {op: colour_of(op) for op in sorted(names)},
        "drawings": drawings.all,
        "tables": tables,
        "genotypes": shown,
    }


def _places(genotype: JsonObject, name: str, edges: Sequence[Place], ops: Sequence[str]) -> list[Place | None]:
    """Where in the table of weights each kept operation stands; None of one that has no weight."""
    places: list[Place | None] = []
    for node, block in enumerate(node_edges(genotype[name], int(genotype.get("edges_per_node", 2))), start=2):
        for op, source in block:
            is_there = (node, int(source)) in edges and op in ops
            places.append((edges.index((node, int(source))), ops.index(str(op))) if is_there else None)
    return places


def _recurrent(
    epochs: Sequence[JsonObject], genotypes: Sequence[JsonObject], space: DartsRecurrentSpace
) -> dict[str, Any]:
    """Drawings, tables and genotypes of recipes."""
    rows = [choice_rows(space, epoch) for epoch in epochs]
    tables, kept_of = [], [kept_choices(space, genotype) for genotype in genotypes]
    columns = {"operations": list(space.ops), "inputs": list(space.sources(space.nodes.max - 1))}
    for kind, title in KINDS:
        labels = list(rows[-1][kind])
        tables.append(
            {
                "title": f"{title}: weights",
                "rows": [decision_name(label) for label in labels],
                "columns": columns[kind],
                "weights": [[_row(own[kind][label], columns[kind]) for label in labels] for own in rows],
            }
        )
    drawings, shown = Drawings(), []
    for genotype, kept in zip(genotypes, kept_of, strict=True):
        recipe = RecurrentGenotype.from_recipe(genotype, "epochs.jsonl")
        drawn = [["Recurrent cell", drawings.add_recipe(recipe), [], -1, []]] if len(recipe.nodes) <= MOST_DRAWN else []
        places = [_kept_places(kept, list(rows[-1][kind]), columns[kind]) for kind, _ in KINDS]
        shown.append({"drawn": drawn, "words": recipe_in_words(genotype), "kept": places})
    return {"colours": {}, "drawings": drawings.all, "tables": tables, "genotypes": shown}


def _row(weights: Mapping[str, float], columns: Sequence[str]) -> list[float | None]:
    return [round(weights[column], 3) if column in weights else None for column in columns]


def _kept_places(kept: Mapping[str, str], labels: Sequence[str], columns: Sequence[str]) -> list[Place]:
    return [(row, columns.index(kept[label])) for row, label in enumerate(labels) if label in kept]
