"""`CnnGenotype`: one normal and one reduction cell, and the macro values that stack them.

Source: Liu et al. 2019 (DARTS), section 2: nodes 0 and 1 are the cell's inputs, every further node sums
its kept edges, the output concatenates nodes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import permutations, product
from math import factorial, floor, prod
from typing import Any, ClassVar, Literal, Protocol

from pydantic import Field, field_validator

from audionas.records import Record
from audionas.spaces.front_end import FrontEnd

Edge = tuple[str, int]
Cell = tuple[Edge, ...]
_MAX_ORDERINGS = 5000


class CnnMacro(Record):
    """How cells are stacked: the papers' L (`n_cells`) and C (`channels`), stem width, where to reduce.

    `causal`: no frame of a cell's output reads a later frame of the network's input; see `CnnNetwork`. `pooling`:
    how the means over features become one vector a clip.
    """

    n_cells: int = Field(default=3, ge=1, le=100)
    channels: int = Field(default=6, ge=1, le=1024)
    stem_multiplier: int = Field(default=3, ge=1, le=16)
    reduction_at: tuple[str, ...] = ("1/3", "2/3")
    causal: bool = False
    pooling: Literal["mean", "max", "statistics", "attention"] = "mean"

    added_later: ClassVar[tuple[str, ...]] = ("causal", "pooling")

    @field_validator("reduction_at", mode="before")
    @classmethod
    def _fractions(cls, value: object) -> object:
        if not isinstance(value, (list, tuple)):
            raise ValueError("must be a list of fractions such as [1/3, 2/3]")
        for item in value:
            try:
                inside = 0 <= Fraction(str(item)) < 1
            except (ValueError, ZeroDivisionError):
                inside = False
            if not inside:
                raise ValueError(f"{item!r} must be a fraction from 0 to below 1, such as 1/3")
        return tuple(str(item) for item in value)

    @property
    def reduction_cells(self) -> tuple[int, ...]:
        """Indices of the reduction cells: floor(L * fraction); L = 8 with thirds gives 2 and 5."""
        return tuple(sorted({floor(self.n_cells * Fraction(at)) for at in self.reduction_at}))

    @property
    def frame_stride(self) -> int:
        """Frames of the network's input for one frame of its last cell's output: 2 for each reduction cell."""
        return int(2 ** len(self.reduction_cells))


@dataclass(frozen=True)
class CnnGenotype:
    """The cells as (operation, input node) pairs, `edges_per_node` a node in node order.

    `front_end` is there in genotypes of a macro space only.
    """

    normal: Cell
    normal_concat: tuple[int, ...]
    reduce: Cell
    reduce_concat: tuple[int, ...]
    edges_per_node: int = 2
    macro: CnnMacro = field(default_factory=CnnMacro)
    space: str = ""
    front_end: FrontEnd | None = None

    @cached_property
    def hash(self) -> str:
        """sha256 of cells, macro values and front-end; equal for cells that differ in the order of nodes or edges."""
        body: dict[str, Any] = {
            "normal": canonical(self.normal, self.normal_concat, self.edges_per_node),
            "reduce": canonical(self.reduce, self.reduce_concat, self.edges_per_node),
            "macro": macro_values(self.macro),
        }
        if self.front_end is not None:
            body["front_end"] = self.front_end.as_record()
        return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


class Macro(Protocol):
    """Macro values of either kind of cell; keys in `added_later` came after the first genotype files."""

    added_later: ClassVar[tuple[str, ...]]

    def model_dump(self, *, mode: str) -> dict[str, Any]:
        """All values."""
        ...


def macro_values(macro: Macro) -> dict[str, Any]:
    """The macro values of a genotype for its file and its hash, as JSON.

    What was added later stands there only where it is not the default: files and hashes from before stay valid.
    """
    defaults = type(macro)().model_dump(mode="json")
    values = macro.model_dump(mode="json")
    return {key: value for key, value in values.items() if key not in macro.added_later or value != defaults[key]}


def node_edges(cell: Sequence[Edge], edges_per_node: int) -> list[tuple[Edge, ...]]:
    """The edges of each intermediate node; node i (from 0) has min(edges_per_node, i + 2).

    >>> node_edges((("a", 0), ("b", 1), ("c", 2), ("d", 0)), 2)
    [(('a', 0), ('b', 1)), (('c', 2), ('d', 0))]
    """
    nodes: list[tuple[Edge, ...]] = []
    start = 0
    while start < len(cell):
        n_edges = min(edges_per_node, len(nodes) + 2)
        nodes.append(tuple(cell[start : start + n_edges]))
        start += n_edges
    return nodes


def canonical(cell: Sequence[Edge], concat: Sequence[int], edges_per_node: int) -> str:
    """A text that is equal for two cells exactly when they are isomorphic.

    Colour refinement over inputs and consumers orders the nodes; nodes that stay tied are tried in every
    order and the smallest text wins. Beyond 5000 orders the refined colours decide alone.
    """
    nodes = node_edges(cell, edges_per_node)
    colours = _refined_colours(nodes, concat)
    classes = [[i for i, c in enumerate(colours) if c == colour] for colour in sorted(set(colours))]
    if prod(factorial(len(members)) for members in classes) > _MAX_ORDERINGS:
        return json.dumps(sorted(colours))
    orders = product(*(permutations(members) for members in classes))
    return min(_text(nodes, concat, [i for part in order for i in part]) for order in orders)


def _text(nodes: list[tuple[Edge, ...]], concat: Sequence[int], order: list[int]) -> str:
    place = {0: 0, 1: 1} | {old + 2: new + 2 for new, old in enumerate(order)}
    body = [sorted((op, place[source]) for op, source in nodes[old]) for old in order]
    return json.dumps([body, sorted(place[node] for node in concat)])


def _refined_colours(nodes: list[tuple[Edge, ...]], concat: Sequence[int]) -> list[str]:
    colours = ["output" if i + 2 in concat else "inner" for i in range(len(nodes))]
    for _ in range(len(nodes) + 1):
        seen = ["input 0", "input 1", *colours]
        colours = [
            _digest(seen[i + 2], _incoming(nodes[i], seen), _outgoing(i, nodes, seen)) for i in range(len(nodes))
        ]
    return colours


def _incoming(edges: tuple[Edge, ...], seen: list[str]) -> list[list[str]]:
    return sorted([op, seen[source]] for op, source in edges)


def _outgoing(index: int, nodes: list[tuple[Edge, ...]], seen: list[str]) -> list[list[str]]:
    return sorted([op, seen[j + 2]] for j, edges in enumerate(nodes) for op, source in edges if source == index + 2)


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]
