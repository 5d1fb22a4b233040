"""Where everything of a drawn recipe stands: columns left to right, lines that pass boxes in rows of their own.

Method: Sugiyama, Tagawa and Toda 1981 (layers, then order by barycentres, then places). Between two columns is a
gap without boxes, in which lines change rows; a line that goes on past a column runs straight through a row of
that column that no box has. So no line can run through a box. The lines of one source share their rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from audionas.report.cells import BOX_HEIGHT, LETTER, MARGIN, Box, Point
from audionas.report.recipe_layers import (
    N_SWEEPS,
    OUTPUT_KEY,
    Item,
    Reading,
    columns_of,
    items_and_links,
    ordered,
    readings_of,
)
from audionas.spaces.recurrent_genotype import RecurrentGenotype

NAME_LETTER = LETTER * 0.8  # names of nodes are written smaller than operations
LONGEST = 20  # letters of a name in the picture; the words below it have all
PORT_STEP, NODE_HEIGHT, PASS_HEIGHT, ROW_GAP = 10.0, 30.0, 2.0, 10.0
NARROWEST_GAP, WIDEST_GAP = 26.0, 64.0
PREFIXES = ("activation_", "elementwise_")


@dataclass(frozen=True)
class Wire:
    """A piece of a line: from `start` in an S to `end`, both points on the sides of a gap; all of one source."""

    source: str
    start: Point
    end: Point


@dataclass(frozen=True)
class RecipeLayout:
    """Where everything of a recipe stands, in points from the top left corner.

    `boxes` go by the name of a node, of what is given, or by `OUTPUT_KEY` and the output's name. `arrows` are the
    points at which inputs enter boxes, by (reader, position); `dots` are the forks of lines.
    """

    width: float
    height: float
    boxes: Mapping[str, Box]
    wires: tuple[Wire, ...]
    arrows: Mapping[tuple[str, int], Point]
    dots: tuple[tuple[str, Point], ...]


def lay_out_recipe(genotype: RecurrentGenotype, top: float = 0.0) -> RecipeLayout:
    """Places for everything of a recipe; `top` is left free above."""
    readings = readings_of(genotype)
    column_of = columns_of(genotype)
    items, links = items_and_links(readings, column_of)
    order = ordered(items, links)
    ports = _ports(readings, order, column_of)
    sizes = {name: _size(genotype, name, len(ports[name])) for name in column_of}
    middles = _middles(order, links, ports, sizes, column_of, top)
    return _placed(order, links, ports, sizes, middles, column_of)


def short_op(op: str) -> str:
    """An operation as it stands in a box.

    >>> short_op("activation_tanh"), short_op("elementwise_prod"), short_op("linear")
    ('tanh', 'prod', 'linear')
    """
    for prefix in PREFIXES:
        op = op.removeprefix(prefix)
    return op


def short_name(name: str) -> str:
    """A name as it stands in the picture: of a long one, beginning and end.

    >>> short_name("h_new_1_part2"), short_name("the_hidden_state_of_before")
    ('h_new_1_part2', 'the_hidden…of_before')
    """
    half = (LONGEST - 1) // 2
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1 - half]}…{name[-half:]}"


def _ports(
    readings: Sequence[Reading], order: Sequence[Sequence[Item]], column_of: Mapping[str, int]
) -> dict[str, list[Reading]]:
    """What enters each box, top to bottom in the order in which it comes."""
    ports: dict[str, list[Reading]] = {name: [] for name in column_of}
    for reading in readings:
        ports[reading.reader].append(reading)
    for name, entering in ports.items():
        before = order[column_of[name] - 1]
        entering.sort(key=lambda reading: (before.index((reading.source, column_of[name] - 1)), reading.position))
    return ports


def _size(genotype: RecurrentGenotype, name: str, n_ports: int) -> tuple[float, float]:
    """Width and height of a box."""
    node = next((node for node in genotype.nodes if node.name == name), None)
    if node is None:
        return len(name.removeprefix(OUTPUT_KEY)) * LETTER + 8, BOX_HEIGHT
    letters = max(len(short_op(node.op)) * LETTER, len(short_name(name)) * NAME_LETTER)
    beside = 2 * NAME_LETTER if node.op == "blend" else 0.0
    return letters + 10 + 2 * beside, max(NODE_HEIGHT, n_ports * PORT_STEP + 4)


def _port_offset(ports: Sequence[Reading], i: int) -> float:
    return (i - (len(ports) - 1) / 2) * PORT_STEP


def _middles(
    order: Sequence[Sequence[Item]],
    links: Sequence[Sequence[tuple[Item, Item]]],
    ports: Mapping[str, Sequence[Reading]],
    sizes: Mapping[str, tuple[float, float]],
    column_of: Mapping[str, int],
    top: float,
) -> dict[Item, float]:
    """The row (y of the middle) of each item: near what it is joined to, in order, and apart."""
    heights = {
        item: sizes[item[0]][1] if column_of[item[0]] == item[1] else PASS_HEIGHT for column in order for item in column
    }
    ties = _ties(links, ports, column_of)
    middles = {}
    for column in order:
        y = 0.0
        for item in column:
            y += heights[item] / 2
            middles[item] = y
            y += heights[item] / 2 + ROW_GAP
    for sweep in range(4 * N_SWEEPS):
        for column in order if sweep % 2 == 0 else order[::-1]:
            wanted = [_wanted(item, ties.get(item, ()), middles, sweep % 2 == 0) for item in column]
            middles.update(zip(column, _apart(wanted, [heights[item] for item in column]), strict=True))
    shift = top + MARGIN - min(middle - heights[item] / 2 for item, middle in middles.items())
    return {item: middle + shift for item, middle in middles.items()}


Tie = tuple[Item, float, float]  # the other item, how far this one's middle should be below it, weight


def _ties(
    links: Sequence[Sequence[tuple[Item, Item]]],
    ports: Mapping[str, Sequence[Reading]],
    column_of: Mapping[str, int],
) -> dict[Item, list[Tie]]:
    ties: dict[Item, list[Tie]] = {}

    def tie(left: Item, right: Item, offset: float, weight: float) -> None:
        ties.setdefault(right, []).append((left, -offset, weight))
        ties.setdefault(left, []).append((right, offset, weight))

    for joined in links:
        for left, right in joined:
            if left[0] == right[0]:
                tie(left, right, 0.0, 12.0 if column_of[left[0]] < left[1] else 2.0)
    for name, entering in ports.items():
        for i, reading in enumerate(entering):
            column = column_of[name]
            tie((reading.source, column - 1), (name, column), _port_offset(entering, i), 1.0)
    return ties


def _wanted(item: Item, ties: Sequence[Tie], middles: Mapping[Item, float], forward: bool) -> float:
    """Where an item would like to be; the side that the sweep comes from counts more."""
    total = weights = 0.0
    for other, offset, weight in ties:
        share = weight * (3.0 if (other[1] < item[1]) == forward else 1.0)
        total += share * (middles[other] + offset)
        weights += share
    return total / weights if weights else middles[item]


def _apart(wanted: Sequence[float], heights: Sequence[float]) -> list[float]:
    """The places nearest to those wanted (least squares) at which nothing overlaps, in the same order."""
    below = [0.0]
    for one, other in pairwise(heights):
        below.append(below[-1] + (one + other) / 2 + ROW_GAP)
    blocks: list[tuple[float, int]] = []  # (mean, size) of items that stand as close as they may
    for want, offset in zip(wanted, below, strict=True):
        mean, size = want - offset, 1
        while blocks and blocks[-1][0] > mean:
            before, n_before = blocks.pop()
            mean = (mean * size + before * n_before) / (size + n_before)
            size += n_before
        blocks.append((mean, size))
    means = [mean for mean, size in blocks for _ in range(size)]
    return [mean + offset for mean, offset in zip(means, below, strict=True)]


def _placed(
    order: Sequence[Sequence[Item]],
    links: Sequence[Sequence[tuple[Item, Item]]],
    ports: Mapping[str, Sequence[Reading]],
    sizes: Mapping[str, tuple[float, float]],
    middles: Mapping[Item, float],
    column_of: Mapping[str, int],
) -> RecipeLayout:
    boxes: dict[str, Box] = {}
    sides: list[Point] = []  # left and right of each column
    x = MARGIN
    for column, items in enumerate(order):
        own = [item for item in items if column_of[item[0]] == column]
        width = max(sizes[name][0] for name, _ in own)
        sides.append((x, x + width))
        for item in own:
            w, h = sizes[item[0]]
            label = short_name(item[0].removeprefix(OUTPUT_KEY))
            boxes[item[0]] = Box(label, x + (width - w) / 2, middles[item] - h / 2, w, h)
        if column < len(links):
            climb = max(abs(middles[left] - middles[right]) for left, right in links[column])
            x += width + min(WIDEST_GAP, max(NARROWEST_GAP, 16 + 0.3 * climb))
    wires, arrows, dots = _wires(links, ports, boxes, sides, middles, column_of)
    return RecipeLayout(
        width=sides[-1][1] + MARGIN,
        height=max([box.y + box.height for box in boxes.values()] + list(middles.values())) + MARGIN,
        boxes=boxes,
        wires=tuple(wires),
        arrows=arrows,
        dots=tuple(dots),
    )


def _wires(
    links: Sequence[Sequence[tuple[Item, Item]]],
    ports: Mapping[str, Sequence[Reading]],
    boxes: Mapping[str, Box],
    sides: Sequence[Point],
    middles: Mapping[Item, float],
    column_of: Mapping[str, int],
) -> tuple[list[Wire], dict[tuple[str, int], Point], list[tuple[str, Point]]]:
    """Lines across the gaps, through the columns that they pass, and from a column's side to a narrower box."""
    wires: list[Wire] = []
    arrows: dict[tuple[str, int], Point] = {}
    exits: list[Item] = []
    for column, joined in enumerate(links):
        for left, right in joined:
            if left[0] == right[0]:
                y = middles[right]
                wires.append(Wire(left[0], (sides[column][1], middles[left]), (sides[column + 1][0], y)))
                wires.append(Wire(left[0], (sides[column + 1][0], y), (sides[column + 1][1], y)))
                exits.append(left)
    for name, entering in ports.items():
        for i, reading in enumerate(entering):
            left = (reading.source, column_of[name] - 1)
            y = boxes[name].middle + _port_offset(entering, i)
            gap_end = (sides[column_of[name]][0], y)
            wires.append(Wire(reading.source, (sides[left[1]][1], middles[left]), gap_end))
            wires.append(Wire(reading.source, gap_end, (boxes[name].x, y)))
            arrows[name, reading.position] = (boxes[name].x, y)
            exits.append(left)
    for name in dict.fromkeys(source for source, _ in exits):
        start = (boxes[name].right, boxes[name].middle)
        wires.append(Wire(name, start, (sides[column_of[name]][1], boxes[name].middle)))
    forks = [item for item in dict.fromkeys(exits) if exits.count(item) > 1 and column_of[item[0]] < item[1]]
    dots = [(item[0], (sides[item[1]][1], middles[item])) for item in forks]
    return wires, arrows, dots
