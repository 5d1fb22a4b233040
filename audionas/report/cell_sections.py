"""The part of the page that shows the cells found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from audionas.quantities import count_text
from audionas.report.blocks import Block, Gallery, Notes, Picture, Pictures, Section
from audionas.report.cells import CELLS, draw_cell, edges_in_words
from audionas.report.guarded import guarded
from audionas.report.kept_weights import kept_weights
from audionas.report.parameter_counts import parameter_parts
from audionas.report.quantities import plain
from audionas.report.recipe_sections import RECIPE_CAPTION, recipe_blocks, recurrent_genotype
from audionas.report.run_files import JsonObject, RunFiles, SearchRun
from audionas.report.trial_genotypes import best_so_far, chosen_recipe

CELL_CAPTION = (
    "c_{k-2} and c_{k-1} are the outputs of the two cells before, c_k is this cell's output: its nodes side "
    "by side (concatenated). A node is the sum of its arrows; nodes are numbered as in genotype.json."
)


WEIGHT_CAPTION = "A number behind an operation is its weight on that edge, by which the search kept it."


@dataclass(frozen=True)
class Found:
    """A genotype's document, the split it belongs to (empty if all), how its title ends, and the run that used it.

    `chosen` is its name in the catalogue that it was taken from; `weights` are those by which a supernet kept its
    operations, by cell.
    """

    document: JsonObject
    split: str
    where: str
    run: JsonObject
    chosen: str = ""
    weights: dict[str, tuple[float, ...]] = field(default_factory=dict)


def cells_section(files: RunFiles, pictures: Pictures) -> Section | None:
    """The cells of every search, or of the genotypes that a retraining used."""
    title, found = _titled(files)
    found = [one for one in found if one.document.get("kind") != "baseline"]  # no cells
    blocks: list[Block] = []
    captions = []
    for one in found:
        recurrent = recurrent_genotype(one.document)
        captions.append(CELL_CAPTION if recurrent is None else RECIPE_CAPTION)
        if recurrent is None:
            captions += [WEIGHT_CAPTION] if one.weights else []
            blocks += _cnn_blocks(pictures, one)
            blocks += _surroundings(one)
        else:
            parts = parameter_parts(files, one.split, recurrent, one.run)
            blocks += recipe_blocks(pictures, one.where, recurrent, parts, one.chosen)
    return Section("cells", title, tuple(blocks), " ".join(dict.fromkeys(captions))) if found else None


def found_genotypes(files: RunFiles) -> list[Found]:
    """The genotypes of a run, also one that is not final; those that all splits share once."""
    return _titled(files)[1]


def _titled(files: RunFiles) -> tuple[str, list[Found]]:
    found = _found(files)
    if not found and len(files.searches) == 1:
        return _not_final(files.searches[0])
    return "The cells found", found


def _cnn_blocks(pictures: Pictures, found: Found) -> list[Block]:
    cells, where = found.document.get("cells") or {}, found.where
    drawn = [
        cell_picture(pictures, f"{cell}{where}", cells, name, found.weights.get(name, ()))
        for name, cell in CELLS
        if cells.get(name)
    ]
    alarm = skips_alarm(cells.get("normal") or [])
    return [Gallery(tuple(drawn)), *([Notes((alarm + where,), is_alarm=True)] if alarm else [])]


def _surroundings(found: Found) -> list[Block]:
    """Of a macro space: the values around the cells, and the front-end."""
    if "front_end" not in found.document:
        return []
    macro = found.document.get("macro") or {}
    pairs = {"pooling": "mean", **macro, **(found.document["front_end"] or {})}
    text = "; ".join(f"{key} {plain(value)}" for key, value in pairs.items())
    return [Notes((f"The cells are given; chosen is what stands around them{found.where}: {text}.",))]


def _not_final(search: SearchRun) -> tuple[str, list[Found]]:
    """What a search that is not at its end would give now, and a title that says so."""
    if search.epochs and search.epochs[-1].get("genotype"):
        document = _document_of(search)
        found = Found(document, "", "", search.run, weights=_weights(search, document))
        return f"The cells as of epoch {len(search.epochs)}, not final", [found]
    best = best_so_far(search)
    if best is None:
        return "", []
    number, document = best
    chosen = chosen_recipe(search, str(document.get("hash")))
    return f"The best cell so far (trial {number}), not final", [Found(document, "", "", search.run, chosen)]


def _weights(search: SearchRun, document: JsonObject) -> dict[str, tuple[float, ...]]:
    """Its weights, if the log has them in a form that can be read."""
    cells, epoch = document.get("cells") or {}, (document.get("provenance") or {}).get("epoch_or_trial")
    return guarded(lambda: kept_weights(search, cells, epoch), lambda _: {})


def _document_of(search: SearchRun) -> JsonObject:
    """The genotype of the last epoch as a genotype file would have it."""
    last = search.epochs[-1]
    if "options" in last:
        return {"recipe": last["genotype"], "macro": search.space.get("macro") or {}}
    return {"cells": last["genotype"]}


def _found(files: RunFiles) -> list[Found]:
    """Genotypes, each with where it belongs; one that all splits share stands there once."""
    found = [
        Found(
            search.genotype,
            search.split,
            f", searched without fold {search.split}" if search.split else "",
            search.run,
            chosen_recipe(search, str(search.genotype.get("hash"))),
            _weights(search, search.genotype),
        )
        for search in files.searches
        if search.genotype
    ]
    if not found and files.retraining:
        run = files.retraining.run
        found = [
            Found(genotype, split, f", tested on fold {split}", run)
            for split, genotype in files.retraining.genotypes.items()
        ]
        bodies = [[one.document.get(key) for key in ("cells", "recipe", "macro", "front_end")] for one in found]
        if all(body == bodies[0] for body in bodies):
            found = [replace(one, where="", split="") for one in found[:1]]
    return found


def cell_picture(
    pictures: Pictures, title: str, cells: JsonObject, name: str, weights: Sequence[float] = ()
) -> Picture:
    """One of the cells drawn, with its edges in words; `weights` as `draw_cell` takes them."""
    pairs = [(str(op), int(source)) for op, source in cells[name]]
    edges_per_node = int(cells.get("edges_per_node", 2))
    words = edges_in_words(pairs, edges_per_node)
    concat = cells.get(f"{name}_concat") or range(2, 2 + len(words))
    figure = draw_cell(pairs, edges_per_node=edges_per_node, concat=concat, weights=weights)
    return pictures.make(title, figure, lines=tuple(words))


def skips_alarm(edges: Sequence[Sequence[object]]) -> str:
    """A warning where more than a quarter (2 of 8) of the normal cell's edges are skips, else ""."""
    n_skips = sum(edge[0] == "skip_connect" for edge in edges)
    if n_skips * 4 <= len(edges):
        return ""
    return (
        f"{count_text(n_skips, 'skip connection')} among the {len(edges)} edges of the normal cell: a known "
        "collapse of DARTS, which favours skips because they train fastest; such cells often test badly"
    )
