"""Pictures of cells in the manner of DARTS (Liu et al. 2019, figures 4 and 5), left to right.

Every operation has a row of its own, and a node stands right of every lane that passes it, so nothing can
overlap: an edge leaves its source's vertical lane at a dot, runs along its row to the operation's box, and
on to the node. Lines that cross without a dot do not touch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Patch

from audionas.errors import GenotypeError
from audionas.report.op_colours import colour_of, mixed_with_white
from audionas.report.svg import FONT_SIZE, drawing
from audionas.spaces.cnn_genotype import node_edges

CELLS = (("normal", "Normal cell"), ("reduce", "Reduction cell"))
INPUTS = ("c_{k-2}", "c_{k-1}")
OUTPUT = "c_k"
ROW, BLOCK_GAP, TITLE = 25.0, 15.0, 22.0
MARGIN, BOX_HEIGHT, INPUT_WIDTH, OUTPUT_WIDTH, RADIUS = 6.0, 18.0, 48.0, 28.0, 10.0
LANE_STEP, BEFORE_BOX, BEFORE_NODE = 11.0, 11.0, 20.0
LETTER = 0.64 * FONT_SIZE  # wider than the mean letter of any font in svg.py
LINE = "#8a8f98"

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A rectangle with a text: an operation, an input of the cell, its output, or around a node."""

    label: str
    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


@dataclass(frozen=True)
class CellLayout:
    """Where everything of a cell stands, in points from the top left corner.

    `ops` are in the order of the edges; `nodes` are the inputs, then the intermediate nodes.
    """

    width: float
    height: float
    nodes: tuple[Box, ...]
    ops: tuple[Box, ...]
    output: Box
    lines: tuple[tuple[Point, Point], ...]
    dots: tuple[Point, ...]
    edges: tuple[tuple[Point, Point], ...]
    joins: tuple[tuple[Point, Point], ...]


def draw_cell(
    edges: Sequence[tuple[str, int]],
    *,
    edges_per_node: int,
    concat: Sequence[int],
    title: str = "",
    weights: Sequence[float] = (),
) -> Figure:
    """A picture of one cell; save it with `savefig` (svg, png, pdf) or show it with `inline_svg`.

    Args:
        edges: (operation, input node) in node order, as in a DARTS genotype.
        edges_per_node: how many edges end in each intermediate node; a node with fewer nodes before it has
            one from each.
        concat: the nodes that make the output; 0 and 1 are the cell's inputs, 2 is the first node.
        title: stands above the picture.
        weights: of each operation on its edge, by which the search chose it; none are written where empty.

    Raises:
        GenotypeError: the edges do not make whole nodes, or take a node that does not come before theirs.
    """
    if weights:
        edges = [(f"{op} {weight:.2f}", source) for (op, source), weight in zip(edges, weights, strict=True)]
    cell = lay_out_cell(edges, edges_per_node=edges_per_node, concat=concat, top=TITLE if title else 0.0)
    with drawing():
        figure = Figure(figsize=(cell.width / 72, cell.height / 72))
        axes = axes_in_points(figure, (0, 0, 1, 1), cell.width, cell.height)
        if title:
            axes.text(MARGIN, TITLE / 2, title, va="center", fontweight="bold")
        paint_cell(axes, cell, edges)
    return figure


def axes_in_points(figure: Figure, place: tuple[float, float, float, float], width: float, height: float) -> Any:
    """Axes without a frame, in points from the top left corner; `place` is their share of the figure."""
    axes = figure.add_axes(place)
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.axis("off")
    return axes


def paint_cell(axes: Any, cell: CellLayout, edges: Sequence[tuple[str, int]]) -> None:
    """Draw a laid-out cell onto `axes_in_points`; to be called under `drawing()`."""
    for line in cell.lines:
        axes.plot(*zip(*line, strict=True), color=LINE, linewidth=1.2, zorder=1)
    for dot in cell.dots:
        axes.add_patch(Circle(dot, 2.2, color=LINE, zorder=3))
    for (op, _), edge, join, box in zip(edges, cell.edges, cell.joins, cell.ops, strict=True):
        axes.plot(*zip(*edge, strict=True), color=colour_of(op), linewidth=1.6, zorder=2)
        axes.add_patch(_arrow(join, colour_of(op)))
        _add_text_patch(axes, box, rounded_box(box, mixed_with_white(colour_of(op), 0.86), colour_of(op)))
    for box in cell.nodes[:2]:
        _add_text_patch(axes, box, rounded_box(box, "#e9ebee", "#4a4f57"))
    for box in cell.nodes[2:]:
        circle = Circle((box.x + RADIUS, box.middle), RADIUS, facecolor="#e9ebee", edgecolor="#4a4f57", zorder=4)
        _add_text_patch(axes, box, circle)
    _add_text_patch(axes, cell.output, rounded_box(cell.output, "#fdf3d0", "#8a6d00"))


def lay_out_cell(
    edges: Sequence[tuple[str, int]], *, edges_per_node: int, concat: Sequence[int], top: float = 0.0, widest: int = 0
) -> CellLayout:
    """Places for everything of a cell; see `draw_cell`. Boxes of operations have room for `widest` letters at least."""
    blocks = _checked_blocks(edges, edges_per_node, concat)
    op_width = max(widest, *(len(op) for op, _ in edges)) * LETTER + 10
    rows = _rows([len(block) for block in blocks], top + MARGIN + BOX_HEIGHT / 2 + 0.9 * ROW)
    input_middles = (top + MARGIN + BOX_HEIGHT / 2, rows[len(blocks[0]) - 1] + (ROW + BLOCK_GAP) / 2)
    nodes = [
        Box(label, MARGIN, middle - BOX_HEIGHT / 2, INPUT_WIDTH, BOX_HEIGHT)
        for label, middle in zip(INPUTS, input_middles, strict=True)
    ]
    lane_xs = [nodes[0].right + LANE_STEP * (i + 1) for i in range(2)]
    sources = [source for _, source in edges]
    ops: list[Box] = []
    joins = []
    for number, block in enumerate(blocks, start=2):
        own = rows[len(ops) : len(ops) + len(block)]
        passing = [lane_x for i, lane_x in enumerate(lane_xs) if i < 2 or i in sources[len(ops) :]]
        x = max(passing) + BEFORE_BOX
        boxes = [
            Box(op, x, row - BOX_HEIGHT / 2, op_width, BOX_HEIGHT) for (op, _), row in zip(block, own, strict=True)
        ]
        middle = sum(own) / len(own)
        nodes.append(Box(str(number), x + op_width + BEFORE_NODE, middle - RADIUS, 2 * RADIUS, 2 * RADIUS))
        lane_xs.append(nodes[-1].right + LANE_STEP)
        joins += [_join(box, nodes[-1]) for box in boxes]
        ops += boxes
    output = _output(nodes, concat)
    lines, dots = _lines(nodes, lane_xs, rows, sources, output, concat)
    return CellLayout(
        width=output.right + MARGIN,
        height=max(box.y + box.height for box in (*nodes, *ops, output)) + MARGIN,
        nodes=tuple(nodes),
        ops=tuple(ops),
        output=output,
        lines=tuple(lines),
        dots=tuple(dots),
        edges=tuple(
            ((lane_xs[source], box.middle), (box.x, box.middle)) for (_, source), box in zip(edges, ops, strict=True)
        ),
        joins=tuple(joins),
    )


def edges_in_words(edges: Sequence[tuple[str, int]], edges_per_node: int) -> list[str]:
    """Each node as a sum, for readers of small screens.

    >>> edges_in_words([("sep_conv_3x3", 0), ("skip_connect", 1)], 2)
    ['node 2 = sep_conv_3x3(c_{k-2}) + skip_connect(c_{k-1})']
    """
    words = []
    for number, block in enumerate(node_edges(edges, edges_per_node), start=2):
        terms = (f"{op}({node_name(source)})" for op, source in block)
        words.append(f"node {number} = {' + '.join(terms)}")
    return words


def node_name(node: int) -> str:
    """What a node is called: the cell's inputs by the paper's names, the others by number."""
    return INPUTS[node] if node < 2 else str(node)


def _checked_blocks(
    edges: Sequence[tuple[str, int]], edges_per_node: int, concat: Sequence[int]
) -> list[tuple[tuple[str, int], ...]]:
    """The edges of each node."""
    blocks = node_edges(edges, edges_per_node) if edges_per_node > 0 else []
    if not blocks or len(blocks[-1]) != min(edges_per_node, len(blocks) + 1):
        raise GenotypeError(f"cell: {len(edges)} edges do not make whole nodes of {edges_per_node} edges each")
    for node, block in enumerate(blocks, start=2):
        for op, source in block:
            if not 0 <= source < node:
                raise GenotypeError(f"cell: {op!r} of node {node} takes node {source}; accepted: 0 to {node - 1}")
    last = len(blocks) + 1
    if not concat or not all(0 <= node <= last for node in concat):
        raise GenotypeError(f"cell: concat {list(concat)} must name nodes of 0 to {last}, at least one")
    return blocks


def _rows(sizes: Sequence[int], first: float) -> list[float]:
    """The height of each edge's row; a gap stands between the nodes."""
    blocks = [block for block, size in enumerate(sizes) for _ in range(size)]
    return [first + i * ROW + block * BLOCK_GAP for i, block in enumerate(blocks)]


def _output(nodes: list[Box], concat: Sequence[int]) -> Box:
    """A bar as tall as the nodes that it joins."""
    middles = [nodes[node].middle for node in concat]
    top, bottom = min(middles) - 14, max(middles) + 14
    right = max(node.right for node in nodes)
    return Box(OUTPUT, right + 2 * LANE_STEP + 6, top, OUTPUT_WIDTH, bottom - top)


def _lines(
    nodes: list[Box],
    lane_xs: list[float],
    rows: list[float],
    sources: list[int],
    output: Box,
    concat: Sequence[int],
) -> tuple[list[tuple[Point, Point]], list[Point]]:
    """The grey lines (a node to its lane, the lane, a node to the output) and the dots where they join."""
    lines: list[tuple[Point, Point]] = []
    dots: list[Point] = []
    for node, (box, x) in enumerate(zip(nodes, lane_xs, strict=True)):
        taken = [row for row, source in zip(rows, sources, strict=True) if source == node]
        if taken:
            ends = [box.middle, *taken]
            lines += [((box.right, box.middle), (x, box.middle)), ((x, min(ends)), (x, max(ends)))]
            dots += [(x, row) for row in taken]
            if node in concat or min(taken) < box.middle < max(taken):
                dots.append((x, box.middle))
        if node in concat:
            lines.append(((box.right, box.middle), (output.x, box.middle)))
    return lines, dots


def _join(op: Box, node: Box) -> tuple[Point, Point]:
    """From an operation's box to the rim of its node's circle."""
    x, y = node.x + RADIUS, node.middle
    away_x, away_y = x - op.right, y - op.middle
    share = 1 - (RADIUS + 1) / hypot(away_x, away_y)
    return (op.right, op.middle), (op.right + share * away_x, op.middle + share * away_y)


def _arrow(join: tuple[Point, Point], colour: str) -> FancyArrowPatch:
    return FancyArrowPatch(
        *join, arrowstyle="-|>", mutation_scale=9, color=colour, linewidth=1.6, shrinkA=0, shrinkB=0, zorder=3
    )


def rounded_box(box: Box, fill: str, rim: str) -> FancyBboxPatch:
    """A box with round corners, to be added to axes whose unit is a point."""
    style = "round,pad=0,rounding_size=4"
    return FancyBboxPatch(
        (box.x, box.y), box.width, box.height, boxstyle=style, facecolor=fill, edgecolor=rim, zorder=4
    )


def _add_text_patch(axes: Any, box: Box, patch: Patch) -> None:  # matplotlib is untyped here
    axes.add_patch(patch)
    axes.text(box.x + box.width / 2, box.middle, box.label, ha="center", va="center_baseline", zorder=5)
