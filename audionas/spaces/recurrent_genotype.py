"""`RecurrentGenotype`: a NAS-Bench-NLP recipe as data, validated, with a hash equal for isomorphic recipes.

Source: Klyuchnikov et al. 2020 and its release: node name -> operation and inputs; `x` and `h_prev_i` are
given, `h_new_i` are the outputs, which become `h_prev_i` of the next step. The order of nodes means nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import permutations, product
from math import factorial, prod
from typing import Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from audionas.errors import GenotypeError
from audionas.ops.recurrent import RNN_OPS
from audionas.records import Record
from audionas.spaces.cnn_genotype import macro_values
from audionas.spaces.recipe_faults import in_order, read_nodes
from audionas.spaces.recipe_node import INPUT, MAX_STATES, OUTPUT, RecipeNode

__all__ = ["INPUT", "MAX_STATES", "RecipeNode", "RecurrentGenotype", "RecurrentMacro"]
_MAX_ORDERINGS = 5000


class RecurrentMacro(Record):
    """What stands around a recipe: the papers' L (`n_layers`) and h (`hidden`), directions, pooling over frames.

    `emit` says which hidden states a layer passes on; `drop_connect` is the probability with which training
    zeroes an element of a hidden-to-hidden weight. `channels`: the feature channels of a frame side by side, or
    their learned average, for features that hold the layers of an encoder. `causal`: no frame that reaches the
    pooling reads a later frame of the input, so one direction only.
    """

    n_layers: int = Field(default=1, ge=1, le=16)
    hidden: int = Field(default=128, ge=1, le=4096)
    bidirectional: bool = True
    emit: Literal["h0", "h0+h1"] = "h0"
    pooling: Literal["attention", "attention_query", "mean", "max", "last", "statistics"] = "attention"
    drop_connect: float = Field(default=0.0, ge=0, lt=1)
    channels: Literal["stack", "weighted_sum"] = "stack"
    causal: bool = False

    added_later: ClassVar[tuple[str, ...]] = ("causal",)

    @field_validator("causal")
    @classmethod
    def _forwards_only(cls, causal: bool, info: ValidationInfo) -> bool:
        if causal and info.data.get("bidirectional"):
            raise ValueError("needs bidirectional: false, as a backward cell reads later frames")
        return causal


@dataclass(frozen=True)
class RecurrentGenotype:
    """A valid recipe and its macro values; `nodes` stand in topological order (of equals, by name)."""

    nodes: tuple[RecipeNode, ...]
    macro: RecurrentMacro = field(default_factory=RecurrentMacro)
    space: str = ""

    @staticmethod
    def from_recipe(recipe: Mapping[str, Any], where: str = "recipe") -> RecurrentGenotype:
        """The genotype of a recipe document: name -> {"op": ..., "input": [names]}.

        Raises:
            GenotypeError: with all faults: a wrong shape, an unknown operation, a wrong number of inputs, an
                input that nothing defines, a cycle, outputs that are not h_new_0, h_new_1, ... in a row, and
                that no output depends on x. A node that no output needs is accepted.
        """
        nodes, faults = read_nodes(recipe)
        if faults:
            raise GenotypeError(f"{where}: {'; '.join(faults)}")
        return RecurrentGenotype(in_order(nodes))

    def to_recipe(self) -> dict[str, dict[str, Any]]:
        """The recipe document, in topological order."""
        return {node.name: {"op": node.op, "input": list(node.inputs)} for node in self.nodes}

    @cached_property
    def n_states(self) -> int:
        """Hidden states that a step hands to the next: 1, 2 or 3."""
        return sum(OUTPUT.fullmatch(node.name) is not None for node in self.nodes)

    @cached_property
    def recipe_hash(self) -> str:
        """sha256 of the recipe alone; equal for recipes that differ only in names of inner nodes or order.

        The order of a blend's inputs counts; the order of all other inputs does not. Other recipes have other
        hashes, as far as refinement leaves at most 5,000 orders of the nodes to compare; beyond, the refined
        colours decide alone, and two large recipes full of symmetries could share a hash.
        """
        return hashlib.sha256(_canonical(self.nodes).encode()).hexdigest()

    @cached_property
    def hash(self) -> str:
        """sha256 of recipe and macro values; equal for isomorphic recipes in equal surroundings."""
        body = {"recipe": self.recipe_hash, "macro": macro_values(self.macro)}
        return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()

    def within(self, macro: RecurrentMacro, space: str = "") -> RecurrentGenotype:
        """The same recipe with other macro values."""
        return replace(self, macro=macro, space=space)


def _canonical(nodes: tuple[RecipeNode, ...]) -> str:
    """Colour refinement over inputs and readers, then the smallest text over orders of equal colours."""
    colours = _refined(nodes)
    shades = sorted(set(colours.values()))
    classes = [[node for node in nodes if colours[node.name] == shade] for shade in shades]
    if prod(factorial(len(members)) for members in classes) > _MAX_ORDERINGS:
        return json.dumps(sorted(colours.values()))
    orders = product(*(permutations(members) for members in classes))
    return min(_text([node for part in order for node in part]) for order in orders)


def _refined(nodes: tuple[RecipeNode, ...]) -> dict[str, str]:
    """The colour of each node after as many rounds as there are nodes.

    Once a round divides no class further, one node speaks for its class. The rounds still run to their end:
    stored hashes come from the colours of the last one.
    """
    colours = {node.name: f"{node.op}:{node.name if OUTPUT.fullmatch(node.name) else ''}" for node in nodes}
    readers, is_stable = _readers(nodes), False
    for _ in range(len(nodes)):
        speakers = {colours[node.name] if is_stable else node.name: node for node in nodes}
        new = {key: _colour(node, readers[node.name], colours) for key, node in speakers.items()}
        after = {node.name: new[colours[node.name] if is_stable else node.name] for node in nodes}
        is_stable = is_stable or len(set(after.values())) == len(set(colours.values()))
        colours = after
    return colours


def _readers(nodes: tuple[RecipeNode, ...]) -> dict[str, list[tuple[str, list[int] | None]]]:
    """Node -> who reads it, and at which places where the order of inputs counts."""
    readers: dict[str, list[tuple[str, list[int] | None]]] = {node.name: [] for node in nodes}
    for other in nodes:
        places: dict[str, list[int]] = {}
        for i, source in enumerate(other.inputs):
            places.setdefault(source, []).append(i)
        for source, found in places.items():
            if source in readers:
                readers[source].append((other.name, found if RNN_OPS[other.op].is_ordered else None))
    return readers


def _colour(node: RecipeNode, readers: list[tuple[str, list[int] | None]], colours: Mapping[str, str]) -> str:
    inputs = [colours.get(source, source) for source in node.inputs]
    if not RNN_OPS[node.op].is_ordered:
        inputs.sort()
    seen = sorted(colours[name] if at is None else json.dumps([colours[name], at]) for name, at in readers)
    return hashlib.sha256(json.dumps([colours[node.name], inputs, seen]).encode()).hexdigest()[:24]


def _text(order: list[RecipeNode]) -> str:
    place = {node.name: f"n{i}" for i, node in enumerate(order)}
    lines = []
    for node in order:
        inputs = [place.get(source, source) for source in node.inputs]
        output = node.name if OUTPUT.fullmatch(node.name) else ""
        lines.append([node.op, output, inputs if RNN_OPS[node.op].is_ordered else sorted(inputs)])
    return json.dumps(lines)
