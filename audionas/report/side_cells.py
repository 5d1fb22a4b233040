"""The cells of several runs side by side."""

from __future__ import annotations

from collections.abc import Sequence

from audionas.report.blocks import Gallery, Notes, Picture, Pictures, Section
from audionas.report.cell_sections import CELL_CAPTION, Found, cell_picture, found_genotypes
from audionas.report.cells import CELLS
from audionas.report.recipe_sections import RECIPE_CAPTION, recurrent_genotype
from audionas.report.recipes import MOST_DRAWN, draw_recipe, recipe_in_words
from audionas.report.run_files import RunFiles

MOST_OF_A_RUN = 3  # genotypes: a nested search has one a fold, all of which stand on its own page


def side_cells(runs: Sequence[tuple[str, RunFiles]], pictures: Pictures) -> Section | None:
    """The cells of each run, under its name; equal ones are named, not drawn again."""
    galleries: list[Gallery] = []
    notes, captions, seen = [], [], dict[str, str]()
    for name, files in runs:
        found = found_genotypes(files)
        for one in found[:MOST_OF_A_RUN]:
            key = str([one.document.get(part) for part in ("cells", "recipe", "name", "macro")])
            where = f"{name}{one.where}"
            if key in seen:
                notes.append(f"{where}: the same genotype as {seen[key]}.")
                continue
            seen[key] = where
            own, caption = _drawn(one, where, pictures)
            galleries += [Gallery(tuple(own))] if own else []
            captions.append(caption)
            notes += (
                [] if own else [f"{where}: {one.document.get('name') or 'a genotype'}, which has no cells to draw."]
            )
        if len(found) > MOST_OF_A_RUN:
            notes.append(f"{name}: {len(found) - MOST_OF_A_RUN} more genotypes, one a fold, stand on its own page.")
    blocks = (*galleries, *((Notes(tuple(notes)),) if notes else ()))
    return (
        Section("side-cells", "Cells side by side", blocks, " ".join(filter(None, dict.fromkeys(captions))))
        if blocks
        else None
    )


def _drawn(one: Found, where: str, pictures: Pictures) -> tuple[list[Picture], str]:
    """Pictures of one genotype, and how to read them."""
    cells = one.document.get("cells") or {}
    if cells:
        titled = [(name, f"{title}, {where}") for name, title in CELLS if cells.get(name)]
        return [
            cell_picture(pictures, title, cells, name, one.weights.get(name, ())) for name, title in titled
        ], CELL_CAPTION
    genotype = recurrent_genotype(one.document)
    if genotype is None or len(genotype.nodes) > MOST_DRAWN:
        return [], ""
    words = tuple(recipe_in_words(genotype.to_recipe()))
    return [pictures.make(f"Recurrent cell, {where}", draw_recipe(genotype), lines=words)], RECIPE_CAPTION
