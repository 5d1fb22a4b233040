"""`RecipeDraft`: a recipe under repair. Nodes are numbered, and a node reads x, states and nodes before it.

`mended` turns any draft into one that keeps the rules of NAS-Bench-NLP, and leaves one that keeps them as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from audionas.ops.recurrent import LINEAR, RNN_OPS
from audionas.spaces.recurrent_genotype import INPUT, RecurrentGenotype

DraftNode = tuple[str, tuple[str, ...]]


def states_of(n_states: int) -> tuple[str, ...]:
    """The names h_prev_0, h_prev_1, ..."""
    return tuple(f"h_prev_{s}" for s in range(n_states))


@dataclass(frozen=True)
class RecipeDraft:
    """Nodes as (operation, inputs), node i being named n<i>; `outputs[s]` is the number of h_new_<s>."""

    nodes: tuple[DraftNode, ...]
    outputs: tuple[int, ...]

    @staticmethod
    def of(genotype: RecurrentGenotype, n_nodes: int) -> RecipeDraft:
        """The draft of a recipe in topological order, filled up to `n_nodes` with nodes that nothing reads."""
        number = {node.name: i for i, node in enumerate(genotype.nodes)}
        nodes = [
            (node.op, tuple(f"n{number[source]}" if source in number else source for source in node.inputs))
            for node in genotype.nodes
        ]
        filler = [(LINEAR, (INPUT, states_of(1)[0]))] * (n_nodes - len(nodes))
        return RecipeDraft((*nodes, *filler), tuple(number[f"h_new_{s}"] for s in range(genotype.n_states)))

    def recipe(self) -> dict[str, dict[str, Any]]:
        """The recipe document of the nodes that the outputs need."""
        names = {f"n{node}": f"h_new_{s}" for s, node in enumerate(self.outputs)}
        document = {}
        for i in self.needed():
            op, inputs = self.nodes[i]
            document[names.get(f"n{i}", f"n{i}")] = {"op": op, "input": [names.get(k, k) for k in inputs]}
        return document

    def needed(self) -> list[int]:
        """The nodes that the outputs need, themselves included, in order."""
        found = set(self.outputs)
        for i in reversed(range(len(self.nodes))):
            if i in found:
                found.update(int(source[1:]) for source in self.nodes[i][1] if source.startswith("n"))
        return sorted(found)

    def given(self) -> set[str]:
        """Which of x and the states the outputs need."""
        return {source for i in self.needed() for source in self.nodes[i][1] if not source.startswith("n")}

    def missing(self) -> list[str]:
        """Which of x and the states the outputs do not need, in order."""
        given = self.given()
        return [source for source in (INPUT, *states_of(len(self.outputs))) if source not in given]

    def with_node(self, i: int, node: DraftNode) -> RecipeDraft:
        """The draft with another node i."""
        return replace(self, nodes=(*self.nodes[:i], node, *self.nodes[i + 1 :]))


def problem(genotype: RecurrentGenotype, linear_inputs: tuple[int, ...]) -> str:
    """The first rule that a recipe breaks, or nothing."""
    states = set(states_of(genotype.n_states))
    used = {source for node in genotype.nodes for source in node.inputs}
    for node in genotype.nodes:
        accepted = linear_inputs if node.op == LINEAR else (RNN_OPS[node.op].fewest,)
        if len(node.inputs) not in accepted:
            return (
                f"node {node.name!r}: {node.op} has {len(node.inputs)} inputs, takes {' or '.join(map(str, accepted))}"
            )
        if len(set(node.inputs)) < len(node.inputs):
            return f"node {node.name!r} takes the same input twice"
        if node.op != LINEAR and INPUT in node.inputs:
            return f"node {node.name!r}: {node.op} reads x, only {LINEAR} may"
        if node.name.startswith("h_new_") and states & set(node.inputs):
            return f"node {node.name!r} is an output and reads a state directly"
        if node.name not in used and not node.name.startswith("h_new_"):
            return f"node {node.name!r} is needed by no output"
    unused = [source for source in (INPUT, *sorted(states)) if source not in used]
    return f"nothing reads {unused[0]!r}" if unused else ""


def mended(draft: RecipeDraft, most_linear_inputs: int) -> RecipeDraft:
    """The draft with as little changed as the rules ask for.

    Outputs move on to the next node that is free and not the first. Each node takes, in place of an input that
    is not allowed or stands twice, the next source in order, and becomes linear where it has too few sources. At last
    x and the states that no output needs are read by the first node that can do so without losing another.
    """
    outputs = _distinct_outputs(draft.outputs, len(draft.nodes))
    nodes = tuple(_legal(i, node, len(outputs), most_linear_inputs, i in outputs) for i, node in enumerate(draft.nodes))
    return _connected(RecipeDraft(nodes, outputs), most_linear_inputs)


def _distinct_outputs(outputs: tuple[int, ...], n_nodes: int) -> tuple[int, ...]:
    """Node 0 cannot be an output: it could read states only."""
    taken: list[int] = []
    for node in outputs:
        while node == 0 or node in taken:
            node = (node + 1) % n_nodes
        taken.append(node)
    return tuple(taken)


def _legal(i: int, node: DraftNode, n_states: int, most_linear_inputs: int, is_output: bool) -> DraftNode:
    op, inputs = node
    earlier = tuple(f"n{k}" for k in range(i))
    sources = earlier if is_output else (*states_of(n_states), *earlier)
    if op != LINEAR and len(sources) >= RNN_OPS[op].fewest:
        return op, _chosen(inputs, sources, RNN_OPS[op].fewest)
    n_inputs = min(max(len(inputs), 2), most_linear_inputs, len(sources) + 1)
    return LINEAR, _chosen(inputs, (INPUT, *sources), n_inputs)


def _chosen(wanted: tuple[str, ...], sources: tuple[str, ...], n: int) -> tuple[str, ...]:
    """The first `n` wanted sources; for one that is not there or taken, the next in order that is free."""
    chosen: list[str] = []
    for k in range(n):
        source = wanted[k] if k < len(wanted) else sources[0]
        place = sources.index(source) if source in sources else 0
        while sources[place] in chosen:
            place = (place + 1) % len(sources)
        chosen.append(sources[place])
    return tuple(chosen)


def _connected(draft: RecipeDraft, most_linear_inputs: int) -> RecipeDraft:
    """The draft in which the outputs need x and every state; each step gains one and loses none."""
    while missing := draft.missing():
        before = draft.given()
        steps = _with_source(draft, missing[0], most_linear_inputs)
        better = next((step for step in steps if step.given() > before), None)
        if better is None:
            return _smallest(draft)
        draft = better
    return draft


def _with_source(draft: RecipeDraft, source: str, most_linear_inputs: int) -> Iterator[RecipeDraft]:
    """Drafts in which one needed node reads `source`, linear nodes first, others turned linear; no output a state."""
    needed = [i for i in draft.needed() if source == INPUT or i not in draft.outputs]
    for i in sorted(needed, key=lambda i: draft.nodes[i][0] != LINEAR):
        inputs = draft.nodes[i][1][:most_linear_inputs]
        if len(inputs) < most_linear_inputs:
            yield draft.with_node(i, (LINEAR, (*inputs, source)))
        for k in reversed(range(len(inputs))):
            if len(inputs) > 1:
                yield draft.with_node(i, (LINEAR, (*inputs[:k], source, *inputs[k + 1 :])))


def _smallest(draft: RecipeDraft) -> RecipeDraft:
    """The draft whose first nodes are a chain that reads one state after another, and then gives the outputs."""
    n = len(draft.outputs)
    for i in range(2 * n):
        source = states_of(n)[i] if i < n else INPUT
        draft = draft.with_node(i, (LINEAR, (source, f"n{i - 1}" if i else INPUT)))
    return replace(draft, outputs=tuple(range(n, 2 * n)))
