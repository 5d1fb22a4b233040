"""The part of the page that shows the cells found."""

from __future__ import annotations

from collections.abc import Sequence

from audionas.quantities import count_text
from audionas.report.blocks import Block, Gallery, Notes, Picture, Pictures, Section
from audionas.report.cells import draw_cell, edges_in_words
from audionas.report.run_files import JsonObject, RunFiles

CELLS = (("normal", "Normal cell"), ("reduce", "Reduction cell"))
CELL_CAPTION = (
    "c_{k-2} and c_{k-1} are the outputs of the two cells before, c_k is this cell's output: its nodes side "
    "by side (concatenated). A node is the sum of its arrows; nodes are numbered as in genotype.json."
)


def cells_section(files: RunFiles, pictures: Pictures) -> Section | None:
    """The cells of every search, or of the genotypes that a retraining used."""
    title = "The cells found"
    found = _found(files)
    if not found and len(files.searches) == 1 and files.searches[0].epochs:
        latest = files.searches[0].epochs[-1].get("genotype")
        found = [("", latest)] if latest else []
        title = f"The cells as of epoch {len(files.searches[0].epochs)}, not final"
    if not found:
        return None
    blocks: list[Block] = []
    for where, cells in found:
        drawn = [cell_picture(pictures, f"{cell}{where}", cells, name) for name, cell in CELLS if cells.get(name)]
        blocks.append(Gallery(tuple(drawn)))
        alarm = skips_alarm(cells.get("normal") or [])
        if alarm:
            blocks.append(Notes((alarm + where,), is_alarm=True))
    return Section("cells", title, tuple(blocks), CELL_CAPTION)


def _found(files: RunFiles) -> list[tuple[str, JsonObject]]:
    """Cells, each with where they belong; cells that all splits share stand there once."""
    found = [
        (
            f", searched without fold {search.split}" if search.split else "",
            search.genotype.get("cells") or {},
        )
        for search in files.searches
        if search.genotype
    ]
    if not found and files.retraining:
        found = [
            (f", tested on fold {split}", genotype.get("cells") or {})
            for split, genotype in files.retraining.genotypes.items()
        ]
        if all(cells == found[0][1] for _, cells in found):
            found = [("", cells) for _, cells in found[:1]]
    return found


def cell_picture(pictures: Pictures, title: str, cells: JsonObject, name: str) -> Picture:
    """One of the cells drawn, with its edges in words."""
    pairs = [(str(op), int(source)) for op, source in cells[name]]
    edges_per_node = int(cells.get("edges_per_node", 2))
    words = edges_in_words(pairs, edges_per_node)
    concat = cells.get(f"{name}_concat") or range(2, 2 + len(words))
    figure = draw_cell(pairs, edges_per_node=edges_per_node, concat=concat)
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
