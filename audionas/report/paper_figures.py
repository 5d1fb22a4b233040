"""Figures for papers: the cells of a genotype in one picture, as wide as a column, text as text."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, Patch
from matplotlib.text import Text

from audionas.errors import GenotypeError, SettingsError
from audionas.report.cells import INPUTS, OUTPUT, axes_in_points, lay_out_cell, paint_cell
from audionas.report.cnn_words import kinds_used
from audionas.report.network_blocks import blocks_of, lay_out_blocks, paint_blocks
from audionas.report.recipes import MOST_DRAWN, lay_out_with_legend, paint_recipe
from audionas.report.svg import NO_METADATA, drawing
from audionas.spaces import BaselineGenotype, CnnGenotype, Genotype, RecurrentGenotype

MM = 72 / 25.4  # points
TWO_COLUMNS_MM = 178.0
SMALLEST_TEXT = 5.0  # points; smaller text is what journals send back
PANEL_TITLE, PANEL_GAP = 20.0, 12.0
_TITLES = {"normal": "Normal cell", "reduce": "Reduction cell"}
_METADATA: dict[str, dict[str, None]] = {
    "svg": NO_METADATA,
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
}


@dataclass(frozen=True)
class _Panel:
    """One drawing: its title, its size in points, and what draws it onto axes."""

    title: str
    width: float
    height: float
    paint: Callable[[Any], None]


def draw_genotype(genotype: Genotype, input_shape: Sequence[int] | None = None, n_outputs: int | None = None) -> Figure:
    """The figure in its natural size, text of 10 points: cells of a CNN, those that its network holds, or a recipe.

    Of a macro space's genotype also the network in blocks; `input_shape`, (channels, features, frames), and
    `n_outputs` give the sizes there.

    Raises:
        GenotypeError: it is a hand-made system, or a recipe of too many nodes to be read.
    """
    panels = _panels(genotype, input_shape, n_outputs)
    has_titles = len(panels) > 1
    above = PANEL_TITLE if has_titles else 0.0
    width = max(panel.width for panel in panels)
    height = sum(panel.height + above for panel in panels) + PANEL_GAP * (len(panels) - 1)
    with drawing():
        figure = Figure(figsize=(width / 72, height / 72))
        top = height
        for number, panel in enumerate(panels):
            if has_titles:
                title = f"({'abc'[number]}) {panel.title}"
                figure.text(4 / width, (top - above / 2) / height, title, va="center", fontweight="bold")
            top -= above + panel.height
            place = ((width - panel.width) / 2 / width, top / height, panel.width / width, panel.height / height)
            panel.paint(axes_in_points(figure, place, panel.width, panel.height))
            top -= PANEL_GAP
        _set_subscripts(figure)
    return figure


def fit_to_width(figure: Figure, width_mm: float | None) -> Figure:
    """Make it so wide, with all text and lines in proportion; None: as it is, at most as wide as two columns.

    Raises:
        SettingsError: text would be too small to be read.
    """
    natural = figure.get_figwidth() * 72
    least = natural * SMALLEST_TEXT / min(_text_sizes(figure))
    if width_mm is None:
        width = max(min(natural, TWO_COLUMNS_MM * MM), least)
    else:
        width = width_mm * MM
        if width < least - 0.01:
            raise SettingsError(
                f"--width-mm: got {width_mm:g}, at which the smallest text has less than {SMALLEST_TEXT:g} points; "
                f"give {_rounded_up(least / MM)} or more"
            )
    _scale(figure, width / natural)
    return figure


def figure_bytes(figure: Figure, form: str, dpi: float = 300.0) -> bytes:
    """The file: `svg` and `pdf` with text as text (TrueType in PDF), `png` of so many dots an inch; always the same."""
    stream = io.BytesIO()
    with drawing(), matplotlib.rc_context({"pdf.fonttype": 42, "svg.hashsalt": "audionas"}):
        figure.savefig(stream, format=form, dpi=dpi if form == "png" else 72, metadata=_METADATA[form])
    return stream.getvalue()


def _panels(genotype: Genotype, input_shape: Sequence[int] | None, n_outputs: int | None) -> list[_Panel]:
    if isinstance(genotype, BaselineGenotype):
        raise GenotypeError(
            f"the hand-made system {genotype.name!r} has no cells to draw; audionas check --describe tells what it is"
        )
    if isinstance(genotype, RecurrentGenotype):
        return [_recipe_panel(genotype)]
    panels = [_cell_panel(genotype, kind) for kind in kinds_used(genotype)]
    if genotype.front_end is None:
        return panels
    blocks = lay_out_blocks(blocks_of(genotype, input_shape, n_outputs))
    return [_Panel("Network", blocks.width, blocks.height, lambda axes: paint_blocks(axes, blocks)), *panels]


def _cell_panel(genotype: CnnGenotype, kind: str) -> _Panel:
    edges = getattr(genotype, kind)
    concat = getattr(genotype, f"{kind}_concat")
    cell = lay_out_cell(edges, edges_per_node=genotype.edges_per_node, concat=concat)
    return _Panel(_TITLES[kind], cell.width, cell.height, lambda axes: paint_cell(axes, cell, edges))


def _recipe_panel(genotype: RecurrentGenotype) -> _Panel:
    if len(genotype.nodes) > MOST_DRAWN:
        raise GenotypeError(
            f"a recipe of {len(genotype.nodes)} nodes is too large to be read in a picture; at most {MOST_DRAWN} are "
            "drawn, audionas export --to nas-bench-nlp writes it as text"
        )
    recipe = lay_out_with_legend(genotype)
    return _Panel("Recurrent cell", recipe.width, recipe.height, lambda axes: paint_recipe(axes, recipe, genotype))


def _set_subscripts(figure: Figure) -> None:
    """The names of a cell's inputs and output as papers print them."""
    for text in figure.findobj(Text):
        if isinstance(text, Text) and text.get_text() in (*INPUTS, OUTPUT):
            text.set_parse_math(True)
            text.set_text(f"${text.get_text()}$")


def _scale(figure: Figure, factor: float) -> None:
    """Sizes that matplotlib takes in points; what stands in axes follows by itself."""
    figure.set_size_inches(figure.get_figwidth() * factor, figure.get_figheight() * factor)
    for artist in figure.findobj():
        if isinstance(artist, Text):
            artist.set_fontsize(float(artist.get_fontsize()) * factor)
        elif isinstance(artist, (Line2D, Patch)):
            artist.set_linewidth(artist.get_linewidth() * factor)
        if isinstance(artist, FancyArrowPatch):
            artist.set_mutation_scale(artist.get_mutation_scale() * factor)


def _text_sizes(figure: Figure) -> list[float]:
    """Points, of each text."""
    texts = [artist for artist in figure.findobj(Text) if isinstance(artist, Text) and artist.get_text()]
    return [float(text.get_fontsize()) for text in texts]


def _rounded_up(width_mm: float) -> int:
    return int(-(-width_mm // 1))
