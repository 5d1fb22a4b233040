"""`DartsRecurrentSpace`: recurrent cells whose every decision can be relaxed, as a supernet of recipes needs them.

Source: Liu et al. 2019 (DARTS), section 3.2 and its release, for the first node that reads x and the states, for nodes
that read earlier nodes, and for the highway gate; Klyuchnikov et al. 2020 (NAS-Bench-NLP), section 3, for the
operations. Differences from DARTS: one gate a state in place of one a node; the state is made of the last node, not
of the mean of all. Differences from `RecurrentCellSpace`: every linear node reads x and either all states or one
node, and an output reads its state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Literal

import numpy as np
from pydantic import Field, ValidationInfo, field_validator

from audionas.errors import GenotypeError, unknown
from audionas.ops.recurrent import BLEND, LINEAR, RNN_OPS
from audionas.records import Record
from audionas.spaces.gated_recipe import FIRST, first_of, gates_of, placed, reading_states, slots_of, with_gates
from audionas.spaces.recipe_draft import DraftNode, RecipeDraft, states_of
from audionas.spaces.recipe_node import INPUT, MAX_STATES, RecipeNode
from audionas.spaces.recipe_space import RecipeSpace
from audionas.spaces.recurrent_genotype import RecurrentGenotype

SLOTS = ("a", "b", "c")
KINDS = ("operations", "inputs")  # what a decision decides
Sample = Mapping[str, str]


class DartsRecurrentNodes(Record):
    """How many nodes a recipe has at most: the fixed first one and those that are searched, not those of the gates."""

    max: int = Field(default=8, ge=3, le=16)


class DartsRecurrentSpace(RecipeSpace):
    """Recipes of up to `nodes.max` nodes n0, n1, ..., of which n0 is linear(x, h_prev_0, ...) in all of them.

    A sample says of each node n<i> but the first its operation (`n<i>_op`), the earlier node that it reads (`n<i>_a`),
    and what sums, products and blends read beside it (`n<i>_b`, `n<i>_c`: a state or an earlier node). Through its
    input a every node depends on x and on every state, so that any sample is a recipe. Two things are put right: an
    input that the node has already moves on to the next option, and a linear node whose input a is n0 reads what n0
    reads (a linear of a linear would be one).

    The last node makes h_new_0, the one before it h_new_1, and so on: h_new_s is blend(g, h_prev_s, tanh(node)) with
    g = sigm(linear(x, h_prev_0, ...)). Sums and products are not bounded, and a state made of them directly grows with
    every frame until the loss is NaN; behind the gate every state of every recipe stays within -1 and 1, in the
    supernet and in retraining alike.
    """

    kind: Literal["darts_recurrent"] = "darts_recurrent"
    states: int = Field(default=1, ge=1, le=MAX_STATES)
    nodes: DartsRecurrentNodes = DartsRecurrentNodes()

    @field_validator("nodes")
    @classmethod
    def _room_for_states(cls, nodes: DartsRecurrentNodes, info: ValidationInfo) -> DartsRecurrentNodes:
        states = info.data.get("states", 1)
        if nodes.max <= states:
            raise ValueError(f"max is {nodes.max} for {states} states, must be at least {states + 1}")
        return nodes

    def choices(self) -> dict[str, tuple[str, ...]]:
        """Every decision of a search: label -> its options, all text; what has one option only is none."""
        return {label: options for label, options in self._options.items() if len(options) > 1}

    @property
    def options(self) -> Mapping[str, tuple[str, ...]]:
        """Label -> options, those with a single option included."""
        return self._options

    @cached_property
    def _options(self) -> dict[str, tuple[str, ...]]:
        table: dict[str, tuple[str, ...]] = {}
        for i in range(1, self.nodes.max):
            sources = self.sources(i)
            ops = tuple(op for op in self.ops if RNN_OPS[op].fewest <= len(sources))
            table |= {f"n{i}_op": ops, f"n{i}_a": _nodes(i)}
            most = max(RNN_OPS[op].fewest for op in ops)
            table |= {f"n{i}_{slot}": sources for slot in SLOTS[1:most]}
        return table

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
        return placed(genotype, self.nodes.max)

    def strongest(self, strengths: Mapping[str, Sequence[float]]) -> dict[str, str]:
        """The repaired sample of the strongest options: of each label, a number an option, in the order of `choices`.

        An input that the node has already gives way to the strongest that is free; of equals the first counts.
        """
        chosen: dict[str, str] = {}
        for label, options in self._options.items():
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
            op = complete[f"n{i}_op"] if 0 < i < self.nodes.max else None
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

    def _complete(self, sample: Sample) -> dict[str, str]:
        """The sample with the decisions that have one option only."""
        return {label: sample[label] if len(options) > 1 else options[0] for label, options in self._options.items()}

    def _taken(self, label: str, chosen: Mapping[str, str]) -> tuple[str, ...]:
        """The inputs that a node has in the slots before that of a label."""
        node, _, slot = label.rpartition("_")
        return tuple(chosen[f"{node}_{other}"] for other in SLOTS[: SLOTS.index(slot)]) if slot in SLOTS else ()

    def _draft(self, sample: Sample) -> RecipeDraft:
        """The recipe of a sample, before what no output needs is left out."""
        chosen: dict[str, str] = {}
        wanted = self._complete(sample)
        for label, options in self._options.items():
            chosen[label] = _next_free(options, wanted[label], self._taken(label, chosen))
        first = reading_states(self.states)
        nodes = [first, *(self._node(i, chosen) for i in range(1, self.nodes.max))]
        return with_gates(nodes, self.states)

    def _node(self, i: int, chosen: Mapping[str, str]) -> DraftNode:
        op, a = chosen[f"n{i}_op"], chosen[f"n{i}_a"]
        if op == LINEAR:
            return reading_states(self.states) if a == FIRST else (LINEAR, (INPUT, a))
        return op, tuple(chosen[f"n{i}_{slot}"] for slot in SLOTS[: RNN_OPS[op].fewest])

    def _encoded(self, draft: RecipeDraft) -> dict[str, str]:
        sample = {label: options[0] for label, options in self._options.items()}
        for i in draft.needed():
            if 0 < i < self.nodes.max:
                op, inputs = draft.nodes[i]
                sample[f"n{i}_op"] = op
                sample |= {f"n{i}_{slot}": source for slot, source in zip(SLOTS, slots_of(op, inputs), strict=False)}
        return {label: sample[label] for label in self.choices()}

    def _problems(self, genotype: object) -> Iterator[str]:
        if not isinstance(genotype, RecurrentGenotype):
            yield "it is not a recurrent one"
            return
        if genotype.n_states != self.states:
            yield f"{genotype.n_states} hidden states, expected {self.states}"
        ends, of_gates = gates_of(genotype)
        for s, end in enumerate(ends):
            if end is None:
                yield (
                    f"h_new_{s} must be blend(sigm(linear(x, every state)), h_prev_{s}, tanh(a node)), of nodes that "
                    "nothing else reads"
                )
        used = {source for node in genotype.nodes for source in node.inputs}
        inner = [node for node in genotype.nodes if node.name not in of_gates]
        for node in inner:
            if node.op not in self.ops:
                yield f"node {node.name!r}: {unknown('operation', node.op, self.ops)}"
            elif node.name not in used:
                yield f"node {node.name!r} is needed by no output"
            else:
                yield from self._faults(node, {other.name for other in inner}, ends)
        n = len(inner) + (first_of(genotype) is None)
        if n > self.nodes.max:
            yield (
                f"{n} nodes without those of the gates, the first (linear of x and the states) included; at most "
                f"{self.nodes.max} are accepted"
            )

    def _faults(self, node: RecipeNode, nodes: set[str], ends: Sequence[str | None]) -> Iterator[str]:
        inputs, states = set(node.inputs), set(states_of(self.states))
        later = ends[: ends.index(node.name) + 1] if node.name in ends else ends
        if inputs & set(later):
            yield f"node {node.name!r} reads a node that a state is made of, which only that of a lower state may"
        if len(inputs) < len(node.inputs):
            yield f"node {node.name!r} takes the same input twice"
        if node.op == LINEAR:
            if INPUT not in inputs or (inputs - {INPUT} != states and not (len(inputs) == 2 and inputs & nodes)):
                yield f"node {node.name!r}: a linear node reads x and either every state or one node"
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


__all__ = ["DartsRecurrentNodes", "DartsRecurrentSpace", "decided_by"]
