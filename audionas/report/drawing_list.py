"""Cells and recipes as lists of shapes, for the page's script: laid out here, painted there.

A shape is `[kind, colour, numbers and texts]`. In a cell a whole number in the place of a colour or a text means the
operation of that edge, so that all cells of one form share one drawing and a page of a thousand trials stays small.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from audionas.report.cells import LINE, RADIUS, Box, Point, lay_out_cell
from audionas.report.op_colours import colour_of
from audionas.report.recipe_layout import lay_out_recipe, short_op
from audionas.report.recipes import BLEND_INPUTS, line_colour
from audionas.spaces.recurrent_genotype import RecurrentGenotype

INPUT, OUTPUT = "#4a4f57", "#8a6d00"
Drawing = list[Any]  # width, height, shapes
WEIGHT = " 0.00"  # the room that a weight takes behind an operation's name


class Drawings:
    """The drawings of one part of a page, each once; `add_*` give the place in `all`."""

    def __init__(self) -> None:
        self.all: list[Drawing] = []
        self._places: dict[object, int] = {}

    def add_cell(
        self, edges: Sequence[tuple[str, int]], edges_per_node: int, concat: Sequence[int], widest: int
    ) -> int:
        """The drawing of every cell with these inputs; see `cell_drawing`."""
        key = (tuple(source for _, source in edges), edges_per_node, tuple(concat), widest)
        if key not in self._places:
            self._places[key] = len(self.all)
            self.all.append(cell_drawing(edges, edges_per_node, concat, widest))
        return self._places[key]

    def add_recipe(self, genotype: RecurrentGenotype) -> int:
        """The drawing of a recipe."""
        key = str(genotype.to_recipe())
        if key not in self._places:
            self._places[key] = len(self.all)
            self.all.append(recipe_drawing(genotype))
        return self._places[key]


def cell_drawing(edges: Sequence[tuple[str, int]], edges_per_node: int, concat: Sequence[int], widest: int) -> Drawing:
    """A cell without its operations, whose boxes have room for `widest` letters.

    Raises:
        GenotypeError: as `lay_out_cell`.
    """
    cell = lay_out_cell(edges, edges_per_node=edges_per_node, concat=concat, widest=widest)
    shapes: list[list[Any]] = [["line", LINE, *_points(line)] for line in cell.lines]
    shapes += [["dot", LINE, *_points((dot,))] for dot in cell.dots]
    for number, (edge, join, box) in enumerate(zip(cell.edges, cell.joins, cell.ops, strict=True)):
        shapes += [
            ["line", number, *_points(edge)],
            ["arrow", number, *_points(join)],
            ["box", number, *_box(box), number],
        ]
    shapes += [["box", INPUT, *_box(box), box.label] for box in cell.nodes[:2]]
    shapes += [["node", INPUT, *_points(((box.x + RADIUS, box.middle),)), RADIUS, box.label] for box in cell.nodes[2:]]
    shapes.append(["box", OUTPUT, *_box(cell.output), cell.output.label])
    return [round(cell.width), round(cell.height), shapes]


def recipe_drawing(genotype: RecurrentGenotype) -> Drawing:
    """A recipe with its operations, as `draw_recipe` draws it, without the legend."""
    layout = lay_out_recipe(genotype)
    ops = {node.name: node.op for node in genotype.nodes}
    shapes: list[list[Any]] = []
    for source in dict.fromkeys(wire.source for wire in layout.wires):
        colour = line_colour(source, ops)
        own = [wire for wire in layout.wires if wire.source == source and wire.start != wire.end]
        shapes += [["curve", colour, *_points((wire.start, wire.end))] for wire in own]
        shapes += [["dot", colour, *_points((dot,))] for name, dot in layout.dots if name == source]
    brought = {wire.end: wire.source for wire in layout.wires}
    for x, y in layout.arrows.values():
        shapes.append(["arrow", line_colour(brought[x, y], ops), *_points(((x - 7, y), (x, y)))])
    for name, box in layout.boxes.items():
        if name in ops:
            shapes.append(["box", colour_of(ops[name]), *_box(box), short_op(ops[name]), box.label])
        else:
            shapes.append(["box", line_colour(name, {}), *_box(box), box.label])
    for node in genotype.nodes:
        for position, role in enumerate(BLEND_INPUTS if node.op == "blend" else ()):
            x, y = layout.boxes[node.name].x + 4, layout.arrows[node.name, position][1]
            shapes.append(["note", colour_of(node.op), *_points(((x, y),)), role])
    return [round(layout.width), round(layout.height), shapes]


def _points(points: Sequence[Point]) -> list[float]:
    return [_short(value) for point in points for value in point]


def _box(box: Box) -> list[float]:
    return [_short(value) for value in (box.x, box.y, box.width, box.height)]


def _short(value: float) -> float:
    """One digit is enough on a screen."""
    rounded = round(value, 1)
    return int(rounded) if rounded == int(rounded) else rounded
