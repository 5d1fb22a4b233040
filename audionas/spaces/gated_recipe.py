"""Recipes whose states stand behind gates: built from the searched nodes n0, n1, ..., and read back to them.

Of state s: h_new_s is blend(g, h_prev_s, tanh(node)) with g = sigm(linear(x, h_prev_0, ...)); the last searched node
makes h_new_0, the one before it h_new_1, and so on.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from audionas.ops.recurrent import BLEND, LINEAR
from audionas.spaces.recipe_draft import DraftNode, RecipeDraft, states_of
from audionas.spaces.recipe_node import INPUT, RecipeNode
from audionas.spaces.recurrent_genotype import RecurrentGenotype

FIRST = "n0"
_NAME = re.compile(r"n(0|[1-9][0-9]?)")


def reading_states(n_states: int) -> DraftNode:
    """The linear node of x and every state."""
    return LINEAR, (INPUT, *states_of(n_states))


def with_gates(nodes: Sequence[DraftNode], n_states: int) -> RecipeDraft:
    """The recipe of the searched nodes: behind them the linear nodes of the gates, then gates, candidates, outputs."""
    n = len(nodes)
    linear, gates, candidates, outputs = (range(n + k * n_states, n + (k + 1) * n_states) for k in range(4))
    stages: list[DraftNode] = [reading_states(n_states) for _ in linear]
    stages += [("activation_sigm", (f"n{i}",)) for i in linear]
    stages += [("activation_tanh", (f"n{n - 1 - s}",)) for s in range(n_states)]
    stages += [
        (BLEND, (f"n{g}", f"h_prev_{s}", f"n{c}")) for s, (g, c) in enumerate(zip(gates, candidates, strict=True))
    ]
    return RecipeDraft((*nodes, *stages), tuple(outputs))


def slots_of(op: str, inputs: tuple[str, ...]) -> tuple[str, ...]:
    """The inputs in the order a, b, c: the first is a node; of a linear node it is n0 where it reads the states."""
    nodes = [source for source in inputs if source.startswith("n")]
    if op == LINEAR:
        return (nodes[0] if nodes else FIRST,)
    if op == BLEND:
        return inputs
    return (nodes[0], *(source for source in inputs if source != nodes[0]))


def gates_of(genotype: RecurrentGenotype) -> tuple[list[str | None], set[str]]:
    """Of each state the node that it is made of (None where the gate is not as it must be), and all nodes of gates."""
    nodes = {node.name: node for node in genotype.nodes}
    n_readers = Counter(source for node in genotype.nodes for source in node.inputs)
    ends: list[str | None] = []
    of_gates: set[str] = set()
    for s in range(genotype.n_states):
        output = nodes[f"h_new_{s}"]
        names = [output.name, *output.inputs[:1], *output.inputs[2:]]
        names += nodes[names[1]].inputs if names[1] in nodes else ()
        found = [nodes.get(name) for name in names]
        wanted = [BLEND, "activation_sigm", "activation_tanh", LINEAR]
        is_gate = [node and node.op for node in found] == wanted and output.inputs[1] == f"h_prev_{s}"
        end = nodes[names[2]].inputs[0] if is_gate else None
        is_gate = is_gate and end in nodes and set(nodes[names[3]].inputs) == {INPUT, *states_of(genotype.n_states)}
        is_gate = is_gate and [n_readers[name] for name in names] == [0, 1, 1, 1] and end not in ends
        ends.append(end if is_gate else None)
        of_gates |= set(names) if is_gate else {output.name}
    return ends, of_gates


def first_of(genotype: RecurrentGenotype) -> str | None:
    """The first node that can be n0."""
    return next((node.name for node in genotype.nodes if _can_be_first(node.name, genotype)), None)


def _can_be_first(name: str, genotype: RecurrentGenotype) -> bool:
    """Whether a node is linear of x and the states, read by no linear node, of no gate, and no state is made of it."""
    nodes = {node.name: node for node in genotype.nodes}
    ends, of_gates = gates_of(genotype)
    is_linear = nodes[name].op == LINEAR and not nodes.keys() & set(nodes[name].inputs)
    is_read_by_linear = any(name in node.inputs for node in genotype.nodes if node.op == LINEAR)
    return is_linear and not is_read_by_linear and name not in of_gates and name not in ends


def placed(genotype: RecurrentGenotype, n_nodes: int) -> RecipeDraft:
    """The draft of a recipe of the space: nodes keep the numbers that they have, or get the first ones in order."""
    ends, of_gates = gates_of(genotype)
    inner = [node for node in genotype.nodes if node.name not in of_gates]
    number = {str(end): n_nodes - 1 - s for s, end in enumerate(ends)}
    others = [node.name for node in inner if node.name not in number]
    number |= _own_numbers(inner, number, genotype) or _first_numbers(others, genotype)
    nodes: list[DraftNode] = [reading_states(genotype.n_states)] * n_nodes
    for node in inner:
        nodes[number[node.name]] = node.op, tuple(f"n{number[s]}" if s in number else s for s in node.inputs)
    return with_gates(nodes, genotype.n_states)


def _own_numbers(inner: Sequence[RecipeNode], ends: Mapping[str, int], genotype: RecurrentGenotype) -> dict[str, int]:
    """The numbers in the names n<i> of the searched nodes, or nothing where they are not those of a sample."""
    found = {node.name: int(node.name[1:]) for node in inner if _NAME.fullmatch(node.name)}
    if len(found) < len(inner) or any(found[end] != i for end, i in ends.items()):
        return {}
    if any(i >= min(ends.values()) and name not in ends for name, i in found.items()):
        return {}
    if any(found[source] >= found[node.name] for node in inner for source in node.inputs if source in found):
        return {}
    return {} if FIRST in found and not _can_be_first(FIRST, genotype) else found


def _first_numbers(others: Sequence[str], genotype: RecurrentGenotype) -> dict[str, int]:
    first = first_of(genotype)
    rest = [name for name in others if name != first]
    return {name: i for i, name in enumerate(rest, start=1)} | ({first: 0} if first else {})
