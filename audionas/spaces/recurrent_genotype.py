"""`RecurrentGenotype`: a NAS-Bench-NLP recipe as data, validated, with a hash equal for isomorphic recipes.

Source: Klyuchnikov et al. 2020 and its release: node name -> operation and inputs; `x` and `h_prev_i` are
given, `h_new_i` are the outputs, which become `h_prev_i` of the next step. The order of nodes means nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import permutations, product
from math import factorial, prod
from typing import Any, Literal

from pydantic import Field

from audionas.errors import GenotypeError, unknown
from audionas.ops.recurrent import LINEAR, RNN_OPS
from audionas.records import Record

INPUT = "x"
MAX_STATES = 3
MAX_NODES = 256
_OUTPUT = re.compile(r"h_new_(0|[1-9][0-9]*)")
_STATE = re.compile(r"h_prev_(0|[1-9][0-9]*)")
_MAX_ORDERINGS = 5000


@dataclass(frozen=True)
class RecipeNode:
    """One node: its name, operation, and the names that it reads, in order."""

    name: str
    op: str
    inputs: tuple[str, ...]


class RecurrentMacro(Record):
    """What stands around a recipe: the papers' L (`n_layers`) and h (`hidden`), directions, pooling over frames.

    `emit` says which hidden states a layer passes on; `drop_connect` is the probability with which training
    zeroes an element of a hidden-to-hidden weight. `channels`: the feature channels of a frame side by side, or
    their learned average, for features that hold the layers of an encoder.
    """

    n_layers: int = Field(default=1, ge=1, le=16)
    hidden: int = Field(default=128, ge=1, le=4096)
    bidirectional: bool = True
    emit: Literal["h0", "h0+h1"] = "h0"
    pooling: Literal["attention", "attention_query", "mean", "max", "last", "statistics"] = "attention"
    drop_connect: float = Field(default=0.0, ge=0, lt=1)
    channels: Literal["stack", "weighted_sum"] = "stack"


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
                input that nothing defines, a cycle, outputs that are not h_new_0, h_new_1, ... in a row.
        """
        nodes = _nodes(recipe, where)
        order, stuck = _ordered(nodes)
        cycle = [f"nodes {', '.join(stuck)} form a cycle or hang on one"] if stuck else []
        faults = [*_faults(nodes), *_output_faults(nodes), *cycle]
        if faults:
            raise GenotypeError(f"{where}: {'; '.join(faults)}")
        return RecurrentGenotype(order)

    def to_recipe(self) -> dict[str, dict[str, Any]]:
        """The recipe document, in topological order."""
        return {node.name: {"op": node.op, "input": list(node.inputs)} for node in self.nodes}

    @cached_property
    def n_states(self) -> int:
        """Hidden states that a step hands to the next: 1, 2 or 3."""
        return sum(_OUTPUT.fullmatch(node.name) is not None for node in self.nodes)

    @cached_property
    def recipe_hash(self) -> str:
        """sha256 of the recipe alone; equal exactly for recipes that differ only in names of inner nodes or order.

        The order of a blend's inputs counts; the order of all other inputs does not.
        """
        return hashlib.sha256(_canonical(self.nodes).encode()).hexdigest()

    @cached_property
    def hash(self) -> str:
        """sha256 of recipe and macro values; equal for isomorphic recipes in equal surroundings."""
        body = {"recipe": self.recipe_hash, "macro": self.macro.model_dump(mode="json")}
        return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()

    def within(self, macro: RecurrentMacro, space: str = "") -> RecurrentGenotype:
        """The same recipe with other macro values."""
        return replace(self, macro=macro, space=space)


def _nodes(recipe: Mapping[str, Any], where: str) -> dict[str, RecipeNode]:
    if not isinstance(recipe, Mapping) or not recipe:
        given = "an empty one" if isinstance(recipe, Mapping) else type(recipe).__name__
        raise GenotypeError(f"{where}: expected an object of nodes, got {given}")
    if len(recipe) > MAX_NODES:
        raise GenotypeError(f"{where}: {len(recipe)} nodes, at most {MAX_NODES} are accepted")
    nodes = {}
    for name, body in recipe.items():
        if not isinstance(body, Mapping) or set(body) != {"op", "input"}:
            raise GenotypeError(f'{where}: node {name!r} must be {{"op": ..., "input": [...]}}')
        inputs = body["input"]
        if not isinstance(inputs, list) or not all(isinstance(source, str) for source in inputs):
            raise GenotypeError(f"{where}: node {name!r}: input must be a list of names")
        nodes[str(name)] = RecipeNode(str(name), str(body["op"]), tuple(inputs))
    return nodes


def _faults(nodes: Mapping[str, RecipeNode]) -> list[str]:
    n_states = max((int(m.group(1)) + 1 for name in nodes if (m := _OUTPUT.fullmatch(name))), default=0)
    given = {INPUT, *(f"h_prev_{i}" for i in range(n_states))}
    faults = []
    for node in nodes.values():
        if node.name == INPUT or _STATE.fullmatch(node.name):
            faults.append(f"node {node.name!r} is given and cannot be defined")
        if node.op not in RNN_OPS:
            faults.append(f"node {node.name!r}: {unknown('operation', node.op, RNN_OPS)}")
            continue
        op, n_inputs = RNN_OPS[node.op], len(node.inputs)
        if n_inputs < op.fewest or (op.most is not None and n_inputs > op.most):
            accepted = f"{op.fewest}" if op.fewest == op.most else f"{op.fewest} or more"
            faults.append(f"node {node.name!r}: {node.op} has {n_inputs} inputs, takes {accepted}")
        if INPUT in node.inputs and node.op != LINEAR:
            faults.append(f"node {node.name!r}: {node.op} reads 'x', which only {LINEAR} can: x has another width")
        for source in node.inputs:
            if source not in nodes and source not in given:
                what = f"only {n_states} hidden state(s)" if _STATE.fullmatch(source) else "nothing defines it"
                faults.append(f"node {node.name!r} reads {source!r}, but {what}")
    return faults


def _output_faults(nodes: Mapping[str, RecipeNode]) -> list[str]:
    indices = sorted(int(m.group(1)) for name in nodes if (m := _OUTPUT.fullmatch(name)))
    if not indices:
        return ["no output: at least h_new_0 must be defined"]
    if indices != list(range(len(indices))):
        return [f"outputs h_new_{indices} must be numbered from 0 without a gap"]
    return [f"{len(indices)} hidden states, at most {MAX_STATES} are accepted"] if len(indices) > MAX_STATES else []


def _ordered(nodes: Mapping[str, RecipeNode]) -> tuple[tuple[RecipeNode, ...], list[str]]:
    """Nodes in topological order, and the names of those that a cycle keeps out of it."""
    left = dict(sorted(nodes.items()))
    order: list[RecipeNode] = []
    while left:
        ready = next((node for node in left.values() if not any(source in left for source in node.inputs)), None)
        if ready is None:
            break
        order.append(ready)
        del left[ready.name]
    return tuple(order), list(left)


def _canonical(nodes: tuple[RecipeNode, ...]) -> str:
    """Colour refinement over inputs and readers, then the smallest text over orders of equal colours."""
    colours = {node.name: f"{node.op}:{node.name if _OUTPUT.fullmatch(node.name) else ''}" for node in nodes}
    for _ in range(len(nodes)):
        colours = {node.name: _colour(node, nodes, colours) for node in nodes}
    shades = sorted(set(colours.values()))
    classes = [[node for node in nodes if colours[node.name] == shade] for shade in shades]
    if prod(factorial(len(members)) for members in classes) > _MAX_ORDERINGS:
        return json.dumps(sorted(colours.values()))
    orders = product(*(permutations(members) for members in classes))
    return min(_text([node for part in order for node in part]) for order in orders)


def _colour(node: RecipeNode, nodes: tuple[RecipeNode, ...], colours: Mapping[str, str]) -> str:
    inputs = [colours.get(source, source) for source in node.inputs]
    if not RNN_OPS[node.op].is_ordered:
        inputs.sort()
    readers = sorted(
        json.dumps([colours[other.name], [i for i, source in enumerate(other.inputs) if source == node.name]])
        if RNN_OPS[other.op].is_ordered
        else colours[other.name]
        for other in nodes
        if node.name in other.inputs
    )
    return hashlib.sha256(json.dumps([colours[node.name], inputs, readers]).encode()).hexdigest()[:24]


def _text(order: list[RecipeNode]) -> str:
    place = {node.name: f"n{i}" for i, node in enumerate(order)}
    lines = []
    for node in order:
        inputs = [place.get(source, source) for source in node.inputs]
        output = node.name if _OUTPUT.fullmatch(node.name) else ""
        lines.append([node.op, output, inputs if RNN_OPS[node.op].is_ordered else sorted(inputs)])
    return json.dumps(lines)
