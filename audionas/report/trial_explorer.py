"""The chart of trials that answers to the mouse: scores against costs, and the genotype of the trial chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audionas.errors import AudionasError
from audionas.quantities import seconds_text
from audionas.report.blocks import Block
from audionas.report.cells import CELLS
from audionas.report.drawing_list import Drawings
from audionas.report.explorer import Explorer
from audionas.report.front_sections import COSTS
from audionas.report.op_colours import colour_of
from audionas.report.recipe_sections import recurrent_genotype
from audionas.report.recipes import MOST_DRAWN
from audionas.report.run_files import JsonObject, SearchRun
from audionas.report.trial_genotypes import search_space, text_loss_text
from audionas.report.trials import (
    OBJECTIVES,
    TrialLine,
    best_first,
    fidelity_text,
    has_fidelities,
)
from audionas.spaces.genotype_file import genotype_document

N_RECIPES_DRAWN = 200  # of the best; a drawing takes 2 ms and 2 kB, the words of the others next to nothing
KEYS = (
    "schema_version",
    "kind",
    "space",
    "name",
    "settings",
    "cells",
    "recipe",
    "macro",
    "front_end",
    "hash",
    "provenance",
)
PALE = " Pale: trained less, not to be compared and not in the front."


def trial_explorer(
    search: SearchRun, lines: Sequence[TrialLine], losses: Mapping[str, float], still: Sequence[Block]
) -> list[Block]:
    """The chart, or the pictures alone where no trial has a score and a cost yet.

    Args:
        losses: of a catalogue's recipes as language models, best first.
        still: what stands there without scripts.
    """
    ranked = best_first(lines, search.objective)
    scores = {line.number: _scores(line) for line in lines}
    costs = {line.number: _costs(line) for line in lines}
    if not any(scores[line.number] and costs[line.number] for line in lines):
        return list(still)
    documents = _documents(search, lines)
    shared = _shared(list(documents.values()))
    drawings = Drawings()
    drawn = _drawn(drawings, documents, [line.number for line in ranked])
    most = max(line.thoroughness for line in lines)
    trials = [
        {
            "number": line.shown,
            "scores": scores[line.number],
            "costs": costs[line.number],
            "pale": line.thoroughness < most,
            "facts": _facts(line, losses),
            "drawn": drawn.get(line.number, []),
            "genotype": _own(documents.get(line.number), shared),
        }
        for line in lines
    ]
    ops = {op for parts in drawn.values() for _, _, found in parts for op in found}
    data = {
        "kind": "trials",
        "ys": _ys(search.objective, lines, scores),
        "xs": _xs(costs),
        "chosen": _chosen(search, ranked),
        "note": PALE if has_fidelities(lines) else "",
        "colours": {op: colour_of(op) for op in sorted(ops)},
        "drawings": drawings.all,
        "shared": shared,
        "order": KEYS,
        "trials": trials,
    }
    return [Explorer(data, tuple(still))]


def _chosen(search: SearchRun, ranked: Sequence[TrialLine]) -> int:
    """The trial shown at first: the winner, else the best as yet."""
    winner = (search.run.get("winner") or {}).get("trial")
    if isinstance(winner, int) and any(line.number == winner for line in ranked):
        return winner + 1
    return ranked[0].shown if ranked[0].value(search.objective) is not None else -1


def _scores(line: TrialLine) -> dict[str, float]:
    found = {"ua": line.ua, "wa": line.wa, "loss": line.loss, "balanced_loss": line.balanced_loss}
    return {key: round(value, 5) for key, value in found.items() if value is not None}


def _costs(line: TrialLine) -> dict[str, float]:
    found = {"parameters": line.parameters, **line.costs}
    return {key: value for key, value in found.items() if value is not None}


def _ys(objective: str, lines: Sequence[TrialLine], scores: Mapping[int, Mapping[str, float]]) -> list[JsonObject]:
    """The scores that any trial has, what decides first."""
    main, second = next(((line.main, line.second) for line in lines if line.ua is not None), ("UA", "WA"))
    names = {"ua": main, "wa": second, **{key: name for key, name in OBJECTIVES.items() if key != "ua"}}
    present = [key for key in names if any(key in found for found in scores.values())]
    present.sort(key=lambda key: key != objective)
    lower = [key for key in present if key.endswith("loss") or (key == "wa" and second == "RMSE")]
    return [{"key": key, "name": names[key], "lower": key in lower} for key in present]


def _xs(costs: Mapping[int, Mapping[str, float]]) -> list[JsonObject]:
    present = dict.fromkeys(key for found in costs.values() for key in found)
    return [{"key": key, "name": COSTS.get(key, key.replace("_", " "))} for key in present]


def _facts(line: TrialLine, losses: Mapping[str, float]) -> list[tuple[str, str]]:
    """What the script cannot put into words by itself."""
    scored = "" if line.epoch is None or not line.epochs else f", best after {line.epoch + 1}"
    rows = [
        ("recipe", line.recipe),
        ("loss on text", text_loss_text(line.recipe, losses)),
        ("trained", fidelity_text(line) + scored),
        ("time", "" if line.seconds is None else seconds_text(line.seconds)),
        ("status", "" if line.status == "done" else line.status),
        ("error", line.shown_error),
        ("genotype", line.genotype_hash[:12]),
    ]
    return [(name, value) for name, value in rows if value]


def _documents(search: SearchRun, lines: Sequence[TrialLine]) -> dict[int, JsonObject]:
    """Genotype files by trial; without those whose sample this version cannot read."""
    space = search_space(search)
    proposed = [event for event in search.trials if event.get("event") == "proposed" and event.get("sample")]
    samples: dict[int, dict[str, str]] = {event["number"]: event["sample"] for event in proposed}
    found = {}
    for line in lines:
        if space is None or line.number not in samples:
            continue
        try:
            found[line.number] = genotype_document(space.genotype(samples[line.number]))
        except (AudionasError, LookupError, ValueError):  # a sample of another space: told where it is chosen
            continue
    return found


def _shared(documents: Sequence[JsonObject]) -> JsonObject:
    """What all of them have alike."""
    if not documents:
        return {}
    first, *others = documents
    return {key: value for key, value in first.items() if all(other.get(key) == value for other in others)}


def _own(document: JsonObject | None, shared: JsonObject) -> JsonObject | None:
    return None if document is None else {key: value for key, value in document.items() if key not in shared}


def _drawn(drawings: Drawings, documents: Mapping[int, JsonObject], ranked: Sequence[int]) -> dict[int, list[Any]]:
    """By trial: title, drawing and operations of each of its cells."""
    cells = {number: document.get("cells") or {} for number, document in documents.items()}
    widest = max(
        (len(edge[0]) for found in cells.values() for name, _ in CELLS for edge in found.get(name, ())), default=0
    )
    drawn: dict[int, list[Any]] = {}
    n_recipes = 0
    for number in ranked:
        recurrent = recurrent_genotype(documents.get(number, {})) if n_recipes < N_RECIPES_DRAWN else None
        if recurrent is not None and len(recurrent.nodes) <= MOST_DRAWN:
            n_recipes += 1
            drawn[number] = [("Recurrent cell", drawings.add_recipe(recurrent), [])]
        elif cells.get(number):
            drawn[number] = [drawn_cell(drawings, cells[number], name, title, widest) for name, title in CELLS]
    return drawn


def drawn_cell(drawings: Drawings, cells: JsonObject, name: str, title: str, widest: int) -> tuple[str, int, list[str]]:
    """Title, place of the drawing and operations of one cell of a genotype."""
    edges = [(str(op), int(source)) for op, source in cells[name]]
    per_node = int(cells.get("edges_per_node", 2))
    concat = cells.get(f"{name}_concat") or range(2, 2 + len(edges) // per_node)
    return title, drawings.add_cell(edges, per_node, concat, widest), [op for op, _ in edges]
