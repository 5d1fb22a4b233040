"""Columns of a drawn recipe, and the order of boxes and passing lines in each, so that few lines cross.

Method: Sugiyama, Tagawa and Toda 1981: layers, then order by barycentres, sweeping to and fro.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from audionas.spaces.recurrent_genotype import RecurrentGenotype

OUTPUT_KEY = "output "  # goes before an output's name, as the node that makes it has the same one
N_SWEEPS = 12

Item = tuple[str, int]  # a box, or the line of a box that passes a column: (box, column)


@dataclass(frozen=True)
class Reading:
    """An arrow's end: box `reader` takes `source` as its input number `position`."""

    source: str
    reader: str
    position: int


def readings_of(genotype: RecurrentGenotype) -> list[Reading]:
    """Every arrow of a recipe, those to the outputs included."""
    inner = [Reading(source, node.name, i) for node in genotype.nodes for i, source in enumerate(node.inputs)]
    outputs = [f"h_new_{i}" for i in range(genotype.n_states)]
    return [*inner, *(Reading(name, OUTPUT_KEY + name, 0) for name in outputs)]


def columns_of(genotype: RecurrentGenotype) -> dict[str, int]:
    """Column of each box: what is given first, a node right of its last input, the outputs last."""
    column_of = {"x": 0, **{f"h_prev_{i}": 0 for i in range(genotype.n_states)}}
    for node in genotype.nodes:
        column_of[node.name] = 1 + max(column_of[source] for source in node.inputs)
    last = 1 + max(column_of.values())
    return column_of | {f"{OUTPUT_KEY}h_new_{i}": last for i in range(genotype.n_states)}


def items_and_links(
    readings: Sequence[Reading], column_of: Mapping[str, int]
) -> tuple[list[list[Item]], list[list[tuple[Item, Item]]]]:
    """What stands in each column, and what is joined across the gap right of each column."""
    n_columns = 1 + max(column_of.values())
    items: list[list[Item]] = [[] for _ in range(n_columns)]
    links: list[list[tuple[Item, Item]]] = [[] for _ in range(n_columns - 1)]
    for name, column in column_of.items():
        items[column].append((name, column))
    for source, column in column_of.items():
        readers = [column_of[reading.reader] for reading in readings if reading.source == source]
        for passed in range(column + 1, max(readers, default=0)):
            items[passed].append((source, passed))
            links[passed - 1].append(((source, passed - 1), (source, passed)))
    for reading in readings:
        column = column_of[reading.reader]
        links[column - 1].append(((reading.source, column - 1), (reading.reader, column)))
    return items, links


def ordered(items: Sequence[Sequence[Item]], links: Sequence[Sequence[tuple[Item, Item]]]) -> list[list[Item]]:
    """The order in each column, top to bottom, with few crossings."""
    order = [list(column) for column in items]
    best, fewest = [list(column) for column in order], _n_crossings(order, links)
    for sweep in range(N_SWEEPS):
        forward = sweep % 2 == 0
        for column in range(1, len(order)) if forward else range(len(order) - 2, -1, -1):
            beside = _neighbours(links[column - 1], backward=True) if forward else _neighbours(links[column])
            _sort_by_barycentre(order, column, column - 1 if forward else column + 1, beside)
        _swap_neighbours(order, links)
        n_crossings = _n_crossings(order, links)
        if n_crossings < fewest:
            best, fewest = [list(column) for column in order], n_crossings
    return best


def _neighbours(links: Sequence[tuple[Item, Item]], *, backward: bool = False) -> dict[Item, list[Item]]:
    beside: dict[Item, list[Item]] = {}
    for left, right in links:
        one, other = (right, left) if backward else (left, right)
        beside.setdefault(one, []).append(other)
    return beside


def _sort_by_barycentre(
    order: list[list[Item]], column: int, fixed: int, beside: Mapping[Item, Sequence[Item]]
) -> None:
    place = {item: i for i, item in enumerate(order[fixed])}
    own = {item: float(i) for i, item in enumerate(order[column])}
    for item in order[column]:
        if beside.get(item):
            own[item] = sum(place[other] for other in beside[item]) / len(beside[item])
    order[column].sort(key=lambda item: own[item])


def _swap_neighbours(order: list[list[Item]], links: Sequence[Sequence[tuple[Item, Item]]]) -> None:
    """Swap two items that stand one above the other where that spares crossings; once through all columns."""
    for column, items in enumerate(order):
        sides = []
        if column > 0:
            sides.append((_neighbours(links[column - 1], backward=True), order[column - 1]))
        if column < len(links):
            sides.append((_neighbours(links[column]), order[column + 1]))
        places = [
            {item: [other.index(end) for end in beside.get(item, ())] for item in items} for beside, other in sides
        ]
        for i in range(len(items) - 1):
            upper, lower = items[i], items[i + 1]
            gain = sum(
                (a > b) - (a < b) for place in places for a in place[upper] for b in place[lower]
            )  # crossings now, less those after the swap
            if gain > 0:
                items[i], items[i + 1] = lower, upper


def _n_crossings(order: Sequence[Sequence[Item]], links: Sequence[Sequence[tuple[Item, Item]]]) -> int:
    total = 0
    for (left, right), joined in zip(pairwise(order), links, strict=True):
        place = {item: i for items in (left, right) for i, item in enumerate(items)}
        ends = sorted((place[one], place[other]) for one, other in joined)
        total += sum(one[0] < other[0] and one[1] > other[1] for i, one in enumerate(ends) for other in ends[i + 1 :])
    return total
