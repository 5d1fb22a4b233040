"""Pictures of recurrent recipes, left to right: x and the states before, the nodes, the states after.

Every input has an arrow of its own; lines are coloured as what they come from, and lines that cross without a dot
do not touch. See `recipe_layout.py` for why no line runs through a box.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import Circle, PathPatch, Polygon
from matplotlib.path import Path

from audionas.report.cells import MARGIN, TITLE, Box, Point, axes_in_points, rounded_box
from audionas.report.op_colours import COLOURS, colour_of, family_of, mixed_with_white
from audionas.report.recipe_layout import RecipeLayout, Wire, lay_out_recipe, short_op
from audionas.report.svg import FONT_SIZE, drawing
from audionas.spaces.recurrent_genotype import RecurrentGenotype

MOST_DRAWN = 64  # a recipe of more nodes is told in words only
BLEND_INPUTS = ("g", "a", "b")
LEGEND = {
    "linear": "linear: weights an input, and a bias",
    "blend": "blend: g·a + (1 - g)·b",
    "product": "prod: product of all inputs",
    "sum": "sum: sum of all inputs",
    "activation": "activation: tanh, sigm or leaky_relu",
}
LEGEND_ROW, SWATCH, LEGEND_LETTER = 16.0, 10.0, 0.64 * (FONT_SIZE - 1)
INPUT_COLOUR = "#6b7280"
STATE_COLOURS = ("#8a6d00", "#b2182b", "#4a4f9c")  # of h_prev_i and h_new_i alike
HEAD, HALF_HEAD = 6.5, 3.2


def draw_recipe(genotype: RecurrentGenotype, title: str = "") -> Figure:
    """A picture of one recipe with its legend; save it with `savefig`, or show it with `inline_svg`.

    Args:
        genotype: at most `MOST_DRAWN` nodes, or the picture is too large to be read.
        title: stands above the picture.
    """
    recipe = lay_out_with_legend(genotype, TITLE if title else 0.0)
    with drawing():
        figure = Figure(figsize=(recipe.width / 72, recipe.height / 72))
        axes = axes_in_points(figure, (0, 0, 1, 1), recipe.width, recipe.height)
        if title:
            axes.text(MARGIN, TITLE / 2, title, va="center", fontweight="bold")
        paint_recipe(axes, recipe, genotype)
    return figure


@dataclass(frozen=True)
class RecipePicture:
    """A laid-out recipe with the places of its legend; sizes in points."""

    layout: RecipeLayout
    legend: dict[str, Point]
    width: float
    height: float


def lay_out_with_legend(genotype: RecurrentGenotype, top: float = 0.0) -> RecipePicture:
    """Places for everything; above it `top` points stay free."""
    layout = lay_out_recipe(genotype, top)
    width, legend, height = _legend_places(layout, [family_of(node.op) for node in genotype.nodes])
    return RecipePicture(layout, legend, width, height)


def paint_recipe(axes: Any, recipe: RecipePicture, genotype: RecurrentGenotype) -> None:
    """Draw a laid-out recipe onto `axes_in_points`; to be called under `drawing()`."""
    layout, ops = recipe.layout, {node.name: node.op for node in genotype.nodes}
    _draw_lines(axes, layout, ops)
    for node in genotype.nodes:
        _draw_node(axes, layout, node.name, node.op)
    for name, box in layout.boxes.items():
        if name not in ops:
            _draw_end(axes, name, box)
    for family, (x, y) in recipe.legend.items():
        swatch = Box("", x, y - SWATCH / 2, SWATCH, SWATCH)
        axes.add_patch(rounded_box(swatch, mixed_with_white(COLOURS[family], 0.86), COLOURS[family]))
        axes.text(x + SWATCH + 5, y, LEGEND.get(family, family), va="center_baseline", fontsize=FONT_SIZE - 1)


def recipe_in_words(recipe: Mapping[str, Any]) -> list[str]:
    """Each node as a formula, in the recipe's order.

    >>> recipe_in_words({"h_new_0": {"op": "blend", "input": ["z", "h_prev_0", "n"]}})
    ['h_new_0 = blend(g: z, a: h_prev_0, b: n)']
    """
    words = []
    for name, node in recipe.items():
        inputs = [str(source) for source in node["input"]]
        if node["op"] == "blend":
            inputs = [f"{role}: {source}" for role, source in zip(BLEND_INPUTS, inputs, strict=False)]
        words.append(f"{name} = {node['op']}({', '.join(inputs)})")
    return words


def _draw_lines(axes: Any, layout: RecipeLayout, ops: Mapping[str, str]) -> None:
    """Source by source, each line on a white band, which parts it from those that it crosses."""
    for number, source in enumerate(dict.fromkeys(wire.source for wire in layout.wires)):
        own = [wire for wire in layout.wires if wire.source == source and wire.start != wire.end]
        colour = line_colour(source, ops)
        for band, width, place in (("white", 4.4, 0.0), (colour, 1.5, 0.004)):
            for wire in own:
                axes.add_patch(
                    PathPatch(
                        _curve(wire), facecolor="none", edgecolor=band, linewidth=width, zorder=1 + number / 100 + place
                    )
                )
        for dot in (point for name, point in layout.dots if name == source):
            axes.add_patch(Circle(dot, 2.3, color=colour, zorder=3))
    brought = {wire.end: wire.source for wire in layout.wires}
    for x, y in layout.arrows.values():
        head = [(x, y), (x - HEAD, y - HALF_HEAD), (x - HEAD, y + HALF_HEAD)]
        colour = line_colour(brought[x, y], ops)
        axes.add_patch(Polygon(head, closed=True, facecolor=colour, edgecolor="none", zorder=3))


def line_colour(source: str, ops: Mapping[str, str]) -> str:
    """The colour of what comes from a node (by its operation), from x or from a state."""
    if source in ops:
        return colour_of(ops[source])
    return INPUT_COLOUR if source == "x" else STATE_COLOURS[int(source[-1]) % len(STATE_COLOURS)]


def _curve(wire: Wire) -> Path:
    """Straight where both ends are in one row, else an S that begins and ends level."""
    (x1, y1), (x2, y2) = wire.start, wire.end
    if y1 == y2:
        return Path([wire.start, wire.end])
    middle = (x1 + x2) / 2
    return Path(
        [wire.start, (middle, y1), (middle, y2), wire.end], [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4]
    )


def _draw_node(axes: Any, layout: RecipeLayout, name: str, op: str) -> None:
    box = layout.boxes[name]
    axes.add_patch(rounded_box(box, mixed_with_white(colour_of(op), 0.86), colour_of(op)))
    x = box.x + box.width / 2
    axes.text(x, box.middle - 6, short_op(op), ha="center", va="center_baseline", zorder=5)
    axes.text(
        x, box.middle + 7, box.label, ha="center", va="center_baseline", zorder=5, fontsize=FONT_SIZE * 0.8,
        color="#4a4f57",
    )  # fmt: skip
    for position, role in enumerate(BLEND_INPUTS if op == "blend" else ()):
        _, y = layout.arrows[name, position]
        axes.text(
            box.x + 4, y, role, va="center_baseline", zorder=5, fontsize=FONT_SIZE * 0.8, fontstyle="italic",
            color=colour_of(op),
        )  # fmt: skip


def _draw_end(axes: Any, name: str, box: Box) -> None:
    """What is given, or an output."""
    colour = line_colour(name, {})
    axes.add_patch(rounded_box(box, mixed_with_white(colour, 0.86), colour))
    axes.text(box.x + box.width / 2, box.middle, box.label, ha="center", va="center_baseline", zorder=5)


def _legend_places(layout: RecipeLayout, families: Sequence[str]) -> tuple[float, dict[str, Point], float]:
    """Width of the picture, where each entry of the legend begins, and the height of both."""
    present = [family for family in [*LEGEND, "other"] if family in families]
    widths = {family: SWATCH + 5 + len(LEGEND.get(family, family)) * LEGEND_LETTER + 14 for family in present}
    width = max([layout.width, *(own + 2 * MARGIN for own in widths.values())])
    x, y = MARGIN, layout.height + LEGEND_ROW / 2 + 4
    places = {}
    for family, own in widths.items():
        if x > MARGIN and x + own > width:
            x, y = MARGIN, y + LEGEND_ROW
        places[family] = (x, y)
        x += own
    return width, places, y + LEGEND_ROW / 2 + MARGIN / 2
