"""`DartsRecurrentSpace`: recurrent cells whose every decision can be relaxed, as a supernet of recipes needs them.

Source: Liu et al. 2019 (DARTS), sections 2.1 and 3.2, for the first node that reads x and the states and for nodes
that read earlier nodes; Klyuchnikov et al. 2020 (NAS-Bench-NLP), section 3, for the operations. Differences from
`RecurrentCellSpace`: every linear node reads x and either all states or one node; the last nodes are the outputs (DARTS
gives the mean of all nodes, which is no recipe of few nodes); an output may read a state directly, as the GRU's does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any, Literal

import numpy as np
from pydantic import Field, ValidationInfo, field_validator

from audionas.errors import GenotypeError, unknown
from audionas.ops.recurrent import BLEND, LINEAR, RNN_OPS
from audionas.records import Record
from audionas.spaces.recipe_draft import DraftNode, RecipeDraft, states_of
from audionas.spaces.recipe_node import INPUT, MAX_STATES, OUTPUT, RecipeNode
from audionas.spaces.recurrent_genotype import RecurrentGenotype, RecurrentMacro

FIRST = "n0"
_NAME = re.compile(r"n(0|[1-9][0-9]?)")
SLOTS = ("a", "b", "c")
KINDS = ("operations", "inputs")  # what a decision decides
Sample = Mapping[str, str]


class DartsRecurrentNodes(Record):
    """How many nodes a recipe has at most, the fixed first one included."""

    max: int = Field(default=8, ge=3, le=16)


class DartsRecurrentSpace(Record):
    """Recipes of up to `nodes.max` nodes, of which the first, n0, is linear(x, h_prev_0, ...) in all of them.

    The last node is h_new_0, the one before it h_new_1, and so on. A sample says of each node n<i> but the first its
    operation (`n<i>_op`), the earlier node that it reads (`n<i>_a`), and what sums, products and blends read beside it
    (`n<i>_b`, `n<i>_c`: a state or an earlier node). Through its input a every node depends on x and on every state, so
    that any sample is a recipe. Two things are put right: an input that the node has already moves on to the next
    option, and a linear node whose input a is n0 reads what n0 reads (a linear of a linear would be one).
    A recipe's inner nodes keep the name n<i>, by which a supernet knows whose weights are meant.
    """

    kind: Literal["darts_recurrent"] = "darts_recurrent"
    name: str = "unnamed"
    features: str = "log_mel_frames"
    states: int = Field(default=1, ge=1, le=MAX_STATES)
    nodes: DartsRecurrentNodes = DartsRecurrentNodes()
    ops: tuple[str, ...] = tuple(RNN_OPS)
    macro: RecurrentMacro = RecurrentMacro()

    @field_validator("ops")
    @classmethod
    def _known_ops(cls, ops: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [unknown("operation", op, RNN_OPS) for op in ops if op not in RNN_OPS]
        if len(set(ops)) < len(ops):
            wrong.append("an operation stands twice")
        if LINEAR not in ops:
            wrong.append(f"{LINEAR!r} is missing; no other operation reads x")
        if wrong:
            raise ValueError("; ".join(wrong))
        return ops

    @field_validator("nodes")
    @classmethod
    def _room_for_states(cls, nodes: DartsRecurrentNodes, info: ValidationInfo) -> DartsRecurrentNodes:
        states = info.data.get("states", 1)
        if nodes.max <= states:
            raise ValueError(f"max is {nodes.max} for {states} states, must be at least {states + 1}")
        return nodes

    @field_validator("macro")
    @classmethod
    def _two_states_to_emit(cls, macro: RecurrentMacro, info: ValidationInfo) -> RecurrentMacro:
        if macro.emit == "h0+h1" and info.data.get("states", 2) < 2:
            raise ValueError("emit: h0+h1 needs two states")
        return macro

    def size(self) -> int:
        """The number of assignments: the product of the numbers of options. Many give the same recipe."""
        return prod(len(options) for options in self.choices().values())

    def choices(self) -> dict[str, tuple[str, ...]]:
        """Every decision of a search: label -> its options, all text; what has one option only is none."""
        return {label: options for label, options in self.options().items() if len(options) > 1}

    def options(self) -> dict[str, tuple[str, ...]]:
        """Label -> options, those with a single option included."""
        table: dict[str, tuple[str, ...]] = {}
        for i in range(1, self.nodes.max):
            sources = self.sources(i)
            ops = tuple(op for op in self.ops if RNN_OPS[op].fewest <= len(sources))
            table |= {f"n{i}_op": ops, f"n{i}_a": _nodes(i)}
            most = max(RNN_OPS[op].fewest for op in ops)
            table |= {f"n{i}_{slot}": sources for slot in SLOTS[1:most]}
        return table

    @property
    def outputs(self) -> tuple[int, ...]:
        """The number of the node that is h_new_0, of the one that is h_new_1, ..."""
        return tuple(self.nodes.max - 1 - s for s in range(self.states))

    def sources(self, i: int) -> tuple[str, ...]:
        """What node i can read beside x: the states, then the nodes before it."""
        return (*states_of(self.states), *_nodes(i))

    def repair(self, sample: Sample) -> dict[str, str]:
        """The canonical sample of the same genotype; a pure function, and idempotent.

        An input that was taken has moved on, and what the genotype does not need is its first option.
        """
        return self._encoded(self._draft(sample))

    def genotype(self, sample: Sample) -> RecurrentGenotype:
        """The genotype of a sample (label -> option); a pure function."""
        return RecurrentGenotype.from_recipe(self._draft(sample).recipe()).within(self.macro, self.name)

    def sample(self, genotype: RecurrentGenotype) -> dict[str, str]:
        """The sample whose genotype has the same recipe up to isomorphism; the same nodes, where names tell them.

        Raises:
            GenotypeError: the recipe is not of this space.
        """
        return self._encoded(self.draft(genotype))

    def draft(self, genotype: RecurrentGenotype) -> RecipeDraft:
        """The recipe with its nodes numbered as in a sample, nodes that nothing reads included.

        Raises:
            GenotypeError: the recipe is not of this space.
        """
        self.check(genotype)
        return _placed(genotype, self.nodes.max)

    def strongest(self, strengths: Mapping[str, Sequence[float]]) -> dict[str, str]:
        """The repaired sample of the strongest options: of each label, a number an option, in the order of `choices`.

        An input that the node has already gives way to the strongest that is free; of equals the first counts.
        """
        chosen: dict[str, str] = {}
        for label, options in self.options().items():
            numbers = strengths.get(label, (0.0,))
            taken = self._taken(label, chosen)
            free = [k for k, option in enumerate(options) if option not in taken]
            chosen[label] = options[max(free, key=lambda k: (numbers[k], -k))]
        return self.repair(chosen)

    def margins(self, strengths: Mapping[str, Sequence[float]]) -> dict[str, float]:
        """How much each decision that the strongest genotype needs leads the strongest other option that is free."""
        chosen = self._complete(self.strongest(strengths))
        found = {}
        for label in self.needed(chosen):
            taken = self._taken(label, chosen)
            numbers = dict(zip(self.choices()[label], strengths[label], strict=True))
            others = [number for option, number in numbers.items() if option != chosen[label] and option not in taken]
            if others:
                found[label] = numbers[chosen[label]] - max(others)
        return found

    def needed(self, sample: Sample) -> list[str]:
        """The decisions on which the genotype of a repaired sample depends."""
        labels, complete = [], self._complete(sample)
        for i in self._draft(complete).needed():
            op = complete[f"n{i}_op"] if i else None
            slots = SLOTS[: 1 if op == LINEAR else RNN_OPS[op].fewest] if op else ()
            labels += [f"n{i}_op", *(f"n{i}_{slot}" for slot in slots)] if op else []
        return [label for label in labels if label in self.choices()]

    def random(self, rng: np.random.Generator) -> RecurrentGenotype:
        """A genotype drawn uniformly over the choices."""
        return self.genotype({label: str(rng.choice(options)) for label, options in self.choices().items()})

    def check(self, genotype: object) -> None:
        """Refuse a genotype that this space does not contain.

        Raises:
            GenotypeError: with its first fault.
        """
        fault = next(self._problems(genotype), "")
        if fault:
            raise GenotypeError(f"genotype is not of space {self.name!r}: {fault}")

    def to_settings(self) -> dict[str, Any]:
        """The mapping that the space's YAML holds."""
        return self.model_dump(mode="json", exclude={"name"})

    def _complete(self, sample: Sample) -> dict[str, str]:
        """The sample with the decisions that have one option only."""
        return {label: sample[label] if len(options) > 1 else options[0] for label, options in self.options().items()}

    def _taken(self, label: str, chosen: Mapping[str, str]) -> tuple[str, ...]:
        """The inputs that a node has in the slots before that of a label."""
        node, _, slot = label.rpartition("_")
        return tuple(chosen[f"{node}_{other}"] for other in SLOTS[: SLOTS.index(slot)]) if slot in SLOTS else ()

    def _draft(self, sample: Sample) -> RecipeDraft:
        """The recipe of a sample, before what no output needs is left out."""
        chosen: dict[str, str] = {}
        wanted = self._complete(sample)
        for label, options in self.options().items():
            chosen[label] = _next_free(options, wanted[label], self._taken(label, chosen))
        nodes = [self._first(), *(self._node(i, chosen) for i in range(1, self.nodes.max))]
        return RecipeDraft(tuple(nodes), self.outputs)

    def _first(self) -> DraftNode:
        return LINEAR, (INPUT, *states_of(self.states))

    def _node(self, i: int, chosen: Mapping[str, str]) -> DraftNode:
        op, a = chosen[f"n{i}_op"], chosen[f"n{i}_a"]
        if op == LINEAR:
            return self._first() if a == FIRST else (LINEAR, (INPUT, a))
        return op, tuple(chosen[f"n{i}_{slot}"] for slot in SLOTS[: RNN_OPS[op].fewest])

    def _encoded(self, draft: RecipeDraft) -> dict[str, str]:
        sample = {label: options[0] for label, options in self.options().items()}
        for i in draft.needed():
            if i:
                op, inputs = draft.nodes[i]
                sample[f"n{i}_op"] = op
                sample |= {f"n{i}_{slot}": source for slot, source in zip(SLOTS, _slots(op, inputs), strict=False)}
        return {label: sample[label] for label in self.choices()}

    def _problems(self, genotype: object) -> Iterator[str]:
        if not isinstance(genotype, RecurrentGenotype):
            yield "it is not a recurrent one"
            return
        if genotype.n_states != self.states:
            yield f"{genotype.n_states} hidden states, expected {self.states}"
        used = {source for node in genotype.nodes for source in node.inputs}
        for node in genotype.nodes:
            if node.op not in self.ops:
                yield f"node {node.name!r}: {unknown('operation', node.op, self.ops)}"
            elif node.name not in used and not node.name.startswith("h_new_"):
                yield f"node {node.name!r} is needed by no output"
            else:
                yield from self._faults(node, {node.name for node in genotype.nodes})
        n = len(genotype.nodes) + (_first_of(genotype) is None)
        if n > self.nodes.max:
            yield f"{n} nodes, the first (linear of x and the states) included; at most {self.nodes.max} are accepted"

    def _faults(self, node: RecipeNode, nodes: set[str]) -> Iterator[str]:
        inputs, states = set(node.inputs), set(states_of(self.states))
        early = {source for source in inputs if OUTPUT.fullmatch(source) and not _is_before(source, node.name)}
        if early:
            yield f"node {node.name!r} reads {min(early)!r}; only an output of a lower number may read an output"
        if len(inputs) < len(node.inputs):
            yield f"node {node.name!r} takes the same input twice"
        if node.op == LINEAR:
            if inputs - {INPUT} != states and not (INPUT in inputs and len(inputs) == 2 and inputs & nodes):
                yield f"node {node.name!r}: a linear node reads x and either every state or one node"
            elif INPUT not in inputs:
                yield f"node {node.name!r}: a linear node reads x"
        elif len(inputs) != RNN_OPS[node.op].fewest:
            yield f"node {node.name!r}: {node.op} has {len(inputs)} inputs, takes {RNN_OPS[node.op].fewest}"
        elif not set(node.inputs[:1] if node.op == BLEND else inputs) & nodes:
            what = "the gate g of a blend is a node" if node.op == BLEND else "one of its inputs must be a node"
            yield f"node {node.name!r} reads no node: {what}"


def decided_by(label: str) -> str:
    """What a decision decides, one of `KINDS`.

    >>> decided_by("n3_op"), decided_by("n3_b")
    ('operations', 'inputs')
    """
    return "operations" if label.endswith("_op") else "inputs"


def _nodes(n: int) -> tuple[str, ...]:
    return tuple(f"n{i}" for i in range(n))


def _next_free(options: tuple[str, ...], wanted: str, taken: tuple[str, ...]) -> str:
    """The option wanted; if it is taken, the next in order that is free, after the last the first."""
    place = options.index(wanted)
    while options[place] in taken:
        place = (place + 1) % len(options)
    return options[place]


def _slots(op: str, inputs: tuple[str, ...]) -> tuple[str, ...]:
    """The inputs in the order a, b, c: the first is a node; of a linear node it is n0 where it reads the states."""
    nodes = [source for source in inputs if source.startswith("n")]
    if op == LINEAR:
        return (nodes[0] if nodes else FIRST,)
    if op == BLEND:
        return inputs
    return (nodes[0], *(source for source in inputs if source != nodes[0]))


def _first_of(genotype: RecurrentGenotype) -> str | None:
    """The first node that can be n0."""
    return next((node.name for node in genotype.nodes if _can_be_first(node.name, genotype)), None)


def _can_be_first(name: str, genotype: RecurrentGenotype) -> bool:
    """Whether a node is linear of x and the states, no output, and read by no linear node."""
    nodes = {node.name: node for node in genotype.nodes}
    is_linear = nodes[name].op == LINEAR and not nodes.keys() & set(nodes[name].inputs)
    is_read_by_linear = any(name in node.inputs for node in genotype.nodes if node.op == LINEAR)
    return is_linear and not is_read_by_linear and not OUTPUT.fullmatch(name)


def _is_before(output: str, node: str) -> bool:
    """Whether an output stands before a node: h_new_1 before h_new_0, and none before an inner node."""
    return bool(OUTPUT.fullmatch(node)) and int(node[6:]) < int(output[6:])


def _placed(genotype: RecurrentGenotype, n_nodes: int) -> RecipeDraft:
    """The draft of a recipe of the space: nodes keep the numbers that they have, or get the first ones in order."""
    outputs = tuple(n_nodes - 1 - s for s in range(genotype.n_states))
    number = {f"h_new_{s}": node for s, node in enumerate(outputs)}
    number |= _own_numbers(genotype, min(outputs)) or _first_numbers(genotype)
    nodes: list[DraftNode] = [(LINEAR, (INPUT, *states_of(genotype.n_states)))] * n_nodes
    for node in genotype.nodes:
        nodes[number[node.name]] = node.op, tuple(f"n{number[s]}" if s in number else s for s in node.inputs)
    return RecipeDraft(tuple(nodes), outputs)


def _own_numbers(genotype: RecurrentGenotype, n_inner: int) -> dict[str, int]:
    """The numbers in the names n<i> of the inner nodes, or nothing where they are not those of a sample."""
    inner = [node for node in genotype.nodes if not OUTPUT.fullmatch(node.name)]
    found = {node.name: int(node.name[1:]) for node in inner if _NAME.fullmatch(node.name)}
    for node in inner:
        if not found.get(node.name, n_inner) < n_inner:
            return {}
        if any(found.get(source, n_inner) >= found[node.name] for source in node.inputs if source in found):
            return {}
    if FIRST in found and not _can_be_first(FIRST, genotype):
        return {}
    return found


def _first_numbers(genotype: RecurrentGenotype) -> dict[str, int]:
    first = _first_of(genotype)
    others = [node.name for node in genotype.nodes if node.name != first and not OUTPUT.fullmatch(node.name)]
    return {name: i for i, name in enumerate(others, start=1)} | ({first: 0} if first else {})


__all__ = ["DartsRecurrentNodes", "DartsRecurrentSpace", "decided_by"]
