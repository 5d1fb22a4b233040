"""Figures for papers: nothing is cut off, text is text, sizes are as asked, and what is not drawn says so."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.patches import FancyBboxPatch
from matplotlib.text import Text

from audionas.errors import GenotypeError, SettingsError
from audionas.report.network_blocks import blocks_of, lay_out_blocks
from audionas.report.paper_figures import draw_genotype, figure_bytes, fit_to_width
from audionas.report.svg import drawing
from audionas.spaces import (
    BaselineGenotype,
    CnnGenotype,
    CnnMacro,
    FrontEnd,
    Genotype,
    RecurrentGenotype,
    load_search_space,
)
from audionas.spaces.darts_text import from_darts_text
from audionas.spaces.reference_recipes import reference_recipe
from tests.spaces.genotypes import DARTS_V2


def macro_genotype(n_cells: int = 12) -> CnnGenotype:
    cell = (("sep_conv_3x3", 0), ("skip_connect", 1))
    macro = CnnMacro(n_cells=n_cells, channels=4, pooling="statistics")
    front_end = FrontEnd(n_mels=40, hop_ms=8.0, spec_augment=0.1)
    return CnnGenotype(cell, (2,), cell, (2,), 2, macro, "", front_end)


DRAWN: dict[str, Genotype] = {
    "DARTS_V2": from_darts_text(DARTS_V2, "test"),
    "random cells": load_search_space("darts_cnn").random(np.random.default_rng(0)),
    "macro": macro_genotype(),
    "LSTM": reference_recipe("lstm"),
    "random recipe": load_search_space("nas_bench_nlp_rnn").random(np.random.default_rng(0)),
}


def texts_of(figure: Figure) -> list[Text]:
    found = [artist for artist in figure.findobj(Text) if isinstance(artist, Text)]
    return [text for text in found if text.get_text()]


@pytest.mark.parametrize("name", DRAWN)
def test_no_text_is_cut_off_or_wider_than_its_box(name: str) -> None:
    figure = fit_to_width(draw_genotype(DRAWN[name], (1, 40, 188), 4), None)
    with drawing():
        renderer = FigureCanvasAgg(figure).get_renderer()
        page = figure.bbox
        boxes = [box.get_window_extent(renderer) for box in figure.findobj(FancyBboxPatch)]
        for text in texts_of(figure):
            extent = text.get_window_extent(renderer)
            assert page.x0 <= extent.x0 < extent.x1 <= page.x1, text.get_text()
            assert page.y0 <= extent.y0 < extent.y1 <= page.y1, text.get_text()
            middle = ((extent.x0 + extent.x1) / 2, (extent.y0 + extent.y1) / 2)
            around = [box for box in boxes if box.x0 < middle[0] < box.x1 and box.y0 < middle[1] < box.y1]
            assert all(box.x0 <= extent.x0 and extent.x1 <= box.x1 for box in around), text.get_text()


@pytest.mark.parametrize("name", DRAWN)
def test_every_operation_and_node_is_written(name: str) -> None:
    written = [text.get_text() for text in texts_of(draw_genotype(DRAWN[name]))]
    genotype = DRAWN[name]
    if isinstance(genotype, CnnGenotype):
        assert sorted(text for text in written if "_" in text and "$" not in text) == sorted(
            op for cell in (genotype.normal, genotype.reduce) for op, _ in cell
        )
        assert written.count("$c_{k-2}$") == written.count("$c_k$") == 2
    else:
        assert isinstance(genotype, RecurrentGenotype)
        assert {node.name for node in genotype.nodes} <= set(written)


def test_only_cells_that_the_network_holds_are_drawn() -> None:
    cell = (("sep_conv_3x3", 0), ("skip_connect", 1))
    genotype = CnnGenotype(cell, (2,), cell, (2,), 2, CnnMacro(n_cells=2, reduction_at=()))
    written = [text.get_text() for text in texts_of(draw_genotype(genotype))]
    assert written.count("sep_conv_3x3") == 1
    assert not any("cell" in text for text in written)  # one panel needs no title


def test_the_blocks_of_a_network_have_the_sizes_of_its_maps() -> None:
    blocks = blocks_of(macro_genotype(12), (1, 40, 188), 4)
    assert [(block.label, block.lines) for block in blocks] == [
        ("input", ("40 mel bands", "hop 8 ms", "SpecAugment 10 %", "1 × 40 × 188")),
        ("stem 3x3", ("12 × 40 × 188",)),
        ("4 × normal cells", ("4 × 40 × 188",)),
        ("reduction cell", ("8 × 20 × 94",)),
        ("3 × normal cells", ("8 × 20 × 94",)),
        ("reduction cell", ("16 × 10 × 47",)),
        ("3 × normal cells", ("16 × 10 × 47",)),
        ("mean and sd", ("32 values",)),
        ("linear", ("4 outputs",)),
    ]
    assert blocks_of(macro_genotype(12), None, None)[2].lines == ("4 channels",)


def test_blocks_never_overlap() -> None:
    layout = lay_out_blocks(blocks_of(macro_genotype(100), (1, 40, 188), 4))
    for number, one in enumerate(layout.boxes):
        assert one.right <= layout.width
        for other in layout.boxes[number + 1 :]:
            assert one.right < other.x or one.y + one.height < other.y


@pytest.mark.parametrize("width_mm", [86.0, 178.0])
def test_the_width_is_as_asked_in_every_format(width_mm: float) -> None:
    def made() -> Figure:
        return fit_to_width(draw_genotype(DRAWN["DARTS_V2"]), width_mm)

    svg = figure_bytes(made(), "svg").decode()
    points = re.search(r'<svg[^>]* width="([0-9.]+)pt"', svg)
    assert points
    assert float(points.group(1)) == pytest.approx(width_mm / 25.4 * 72, abs=0.01)
    box = re.search(rb"/MediaBox \[ 0 0 ([0-9.]+) ", figure_bytes(made(), "pdf"))
    assert box
    assert float(box.group(1)) == pytest.approx(width_mm / 25.4 * 72, abs=0.01)
    pixels = imread(io.BytesIO(figure_bytes(made(), "png", 200)), format="png")
    assert pixels.shape[1] == pytest.approx(width_mm / 25.4 * 200, abs=1)


def test_text_and_lines_shrink_together() -> None:
    natural, narrow = draw_genotype(DRAWN["DARTS_V2"]), fit_to_width(draw_genotype(DRAWN["DARTS_V2"]), 86)
    factor = narrow.get_figwidth() / natural.get_figwidth()
    assert factor < 0.6
    assert [text.get_fontsize() for text in texts_of(narrow)] == pytest.approx(
        [text.get_fontsize() * factor for text in texts_of(natural)]
    )
    assert narrow.get_figheight() == pytest.approx(natural.get_figheight() * factor)


def test_text_that_could_not_be_read_is_refused_with_the_least_width() -> None:
    with pytest.raises(SettingsError, match=r"--width-mm: got 40, .* less than 5 points; give 75 or more"):
        fit_to_width(draw_genotype(DRAWN["DARTS_V2"]), 40)
    assert min(text.get_fontsize() for text in texts_of(fit_to_width(draw_genotype(DRAWN["DARTS_V2"]), 75))) >= 5


def test_text_stays_text_in_svg_and_truetype_in_pdf() -> None:
    svg = figure_bytes(draw_genotype(DRAWN["LSTM"]), "svg").decode()
    assert svg.count("<text") >= 20
    assert "h_new_1" in svg
    pdf = figure_bytes(draw_genotype(DRAWN["LSTM"]), "pdf")
    assert b"/Type3" not in pdf
    assert b"/CIDFontType2" in pdf


@pytest.mark.parametrize("form", ["svg", "pdf", "png"])
def test_the_same_genotype_gives_the_same_bytes(form: str) -> None:
    one, other = (figure_bytes(draw_genotype(DRAWN["random recipe"]), form) for _ in range(2))
    assert one == other


def test_in_grey_text_stands_out_from_its_box() -> None:
    """At least 7 to 1 between what is written (nearly black) and each filling, as by WCAG's formula."""
    grey = np.array([0.2126, 0.7152, 0.0722])

    def luminance(colour: tuple[float, ...]) -> float:
        values = np.array(colour[:3])
        return float(grey @ np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4))

    text = luminance((0x1C / 255, 0x1F / 255, 0x24 / 255))
    for name in ("DARTS_V2", "macro", "LSTM"):
        for box in draw_genotype(DRAWN[name]).findobj(FancyBboxPatch):
            assert (luminance(box.get_facecolor()) + 0.05) / (text + 0.05) > 7


def test_what_is_not_drawn_says_what_to_do() -> None:
    with pytest.raises(GenotypeError, match="hand-made system 'lstm' has no cells to draw; audionas check --describe"):
        draw_genotype(BaselineGenotype("lstm"))
    recipe = {f"n{i}": {"op": "activation_tanh", "input": [f"n{i - 1}"]} for i in range(1, 70)}
    recipe |= {"n0": {"op": "linear", "input": ["x", "h_prev_0"]}, "h_new_0": {"op": "linear", "input": ["n69"]}}
    with pytest.raises(GenotypeError, match=r"a recipe of 71 nodes is too large .* at most 64 are drawn"):
        draw_genotype(RecurrentGenotype.from_recipe(recipe))
