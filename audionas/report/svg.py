"""Matplotlib figures as inline SVG: real text, and ids of their own, so that many stand in one page.

Sizes are points: a figure 350 wide is 350 pt (467 px) wide in the browser when there is room.
"""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib
from matplotlib.figure import Figure

FONT_SIZE = 10
# Fonts as wide as any: where a browser lacks the first, text gets narrower and still fits.
STYLE = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # a label may hold dollar signs
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "Helvetica", "sans-serif"],
    "font.size": FONT_SIZE,
    "axes.titlesize": FONT_SIZE,
    "axes.labelsize": FONT_SIZE,
    "xtick.labelsize": FONT_SIZE - 1,
    "ytick.labelsize": FONT_SIZE - 1,
    "legend.fontsize": FONT_SIZE - 1,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a8f98",
    "axes.labelcolor": "#1c1f24",
    "text.color": "#1c1f24",
    "xtick.color": "#4a4f57",
    "ytick.color": "#4a4f57",
    "legend.frameon": False,
    "figure.facecolor": "white",
}
NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}
NARROWEST = 0.6  # of the natural width: below that text would be too small, so the picture scrolls sideways


@contextmanager
def drawing() -> Iterator[None]:
    """The style under which figures are made and saved; matplotlib's global settings stay as they are."""
    with matplotlib.rc_context(STYLE), warnings.catch_warnings():
        # A label in Chinese, say: the browser has the letters even if matplotlib's font lacks them.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of a size in points."""
    return Figure(figsize=(width / 72, height / 72), layout="constrained")


def inline_svg(figure: Figure, name: str, description: str) -> str:
    """The figure as an `<svg>` element for HTML.

    Args:
        figure: made under `drawing()`.
        name: unique in the page, `[a-z0-9-]`; goes before every id of the figure.
        description: what a screen reader says.
    """
    stream = io.StringIO()
    with drawing(), matplotlib.rc_context({"svg.hashsalt": name}):
        figure.savefig(stream, format="svg", metadata=NO_METADATA)
    text = stream.getvalue()
    text = text[text.index("<svg") :].strip()
    # Matplotlib's style sheet holds a rule for `*`, which inline would reach the whole page.
    text = re.sub(r"<style[^>]*>\*\{[^<]*</style>", "", text)
    text = re.sub(r"<[^>]+>", lambda tag: _named_apart(tag.group(), name), text)
    width = figure.get_figwidth() * 72
    opening = (
        f'<svg role="img" aria-label="{html.escape(description)}" '
        f'style="width:{width:.0f}pt;min-width:{width * NARROWEST:.0f}pt" '
    )
    head, rest = text.split(">", 1)
    head = re.sub(r'\s(width|height|version|xmlns|xmlns:xlink)="[^"]*"', "", head)
    return opening + head.removeprefix("<svg").strip() + ">" + rest.replace("xlink:href", "href")


def _named_apart(tag: str, name: str) -> str:
    tag = re.sub(r'\bid="', f'id="{name}-', tag)
    return re.sub(r'(href="#|url\(#)', rf"\g<1>{name}-", tag)
