"""What is wrong with a recipe document, all of it at once; and its nodes in topological order."""

from __future__ import annotations

import difflib
import heapq
from collections.abc import Iterator, Mapping
from typing import Any

from audionas.errors import unknown
from audionas.ops.recurrent import LINEAR, RNN_OPS
from audionas.spaces.recipe_node import INPUT, MAX_NODES, MAX_STATES, OUTPUT, STATE, RecipeNode

_SHOWN = 20
Nodes = Mapping[str, RecipeNode]


def read_nodes(recipe: object) -> tuple[dict[str, RecipeNode], list[str]]:
    """The well-shaped nodes of a recipe document, and the faults of the whole document.

    A node of the wrong shape is a fault, and counts as defined where another reads it.
    """
    if not isinstance(recipe, Mapping) or not recipe:
        given = "an empty one" if isinstance(recipe, Mapping) else type(recipe).__name__
        return {}, [f"expected an object of nodes, got {given}"]
    if len(recipe) > MAX_NODES:
        return {}, [f"{len(recipe)} nodes, at most {MAX_NODES} are accepted"]
    nodes, faults = {}, []
    for name, body in recipe.items():
        shape = _shape_fault(body)
        if shape:
            faults.append(f"node {name!r}{shape}")
        else:
            nodes[str(name)] = RecipeNode(str(name), body["op"], tuple(body["input"]))
    names = [str(name) for name in recipe]
    for node in nodes.values():
        faults += _node_faults(node)
    faults += [*_undefined(nodes, names), *_output_faults(names)]
    faults += [f"nodes form a cycle: {' -> '.join(cycle)}" for cycle in _cycles(nodes)]
    if len(nodes) == len(names):
        faults += _deaf(nodes, is_sound=not faults)
    return nodes, faults


def in_order(nodes: Nodes) -> tuple[RecipeNode, ...]:
    """Nodes in topological order, of equals by name; without those on a cycle or behind one."""
    n_waiting, readers = {}, _readers(nodes)
    for node in nodes.values():
        n_waiting[node.name] = sum(source in nodes for source in set(node.inputs))
    ready = [name for name, n in n_waiting.items() if n == 0]
    heapq.heapify(ready)
    order = []
    while ready:
        name = heapq.heappop(ready)
        order.append(nodes[name])
        for reader in readers.get(name, ()):
            n_waiting[reader] -= 1
            if n_waiting[reader] == 0:
                heapq.heappush(ready, reader)
    return tuple(order)


def _readers(nodes: Nodes) -> dict[str, list[str]]:
    readers: dict[str, list[str]] = {}
    for node in nodes.values():
        for source in set(node.inputs):
            readers.setdefault(source, []).append(node.name)
    return readers


def _shape_fault(body: Any) -> str:
    """What is wrong with the form of a node, or nothing."""
    if not isinstance(body, Mapping) or set(body) != {"op", "input"} or not isinstance(body["op"], str):
        return ' must be {"op": ..., "input": [...]}'
    inputs = body["input"]
    if not isinstance(inputs, list) or not all(isinstance(source, str) for source in inputs):
        return ": input must be a list of names"
    return ""


def _node_faults(node: RecipeNode) -> Iterator[str]:
    if node.name == INPUT or STATE.fullmatch(node.name):
        yield f"node {node.name!r} is given and cannot be defined"
    if node.op not in RNN_OPS:
        yield f"node {node.name!r}: {unknown('operation', node.op, RNN_OPS)}"
        return
    op, n_inputs = RNN_OPS[node.op], len(node.inputs)
    if n_inputs < op.fewest or (op.most is not None and n_inputs > op.most):
        accepted = f"{op.fewest}" if op.fewest == op.most else f"{op.fewest} or more"
        yield f"node {node.name!r}: {node.op} has {n_inputs} inputs, takes {accepted}"
    if INPUT in node.inputs and node.op != LINEAR:
        yield f"node {node.name!r}: {node.op} reads 'x', which only {LINEAR} can: x has another width"


def _undefined(nodes: Nodes, names: list[str]) -> list[str]:
    """A line for each input that nothing defines; the last of them lists what there is to read."""
    outputs = [name for name in names if OUTPUT.fullmatch(name)]
    states = {f"h_prev_{i}" for i in range(min(len(outputs), MAX_STATES))}
    states |= {name.replace("h_new_", "h_prev_") for name in outputs}
    known = {INPUT, *states, *names}
    wrong = [(node, source) for node in nodes.values() for source in dict.fromkeys(node.inputs) if source not in known]
    faults = []
    for node, source in wrong[:_SHOWN]:  # a hostile file may hold a million of them
        what = f"only {len(states)} hidden state(s)" if STATE.fullmatch(source) else "nothing defines it"
        near = difflib.get_close_matches(source[:_SHOWN], sorted(known), n=1, cutoff=0.5)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        faults.append(f"node {node.name!r} reads {source!r}, but {what}{hint}")
    if len(wrong) > _SHOWN:
        faults.append(f"{len(wrong) - _SHOWN} more inputs that nothing defines")
    if faults:
        faults[-1] += f"; there are: {_listed(sorted(known))}"
    return faults


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _output_faults(names: list[str]) -> list[str]:
    outputs = [name for name in names if OUTPUT.fullmatch(name)]
    if not outputs:
        return ["no output: at least h_new_0 must be defined"]
    if len(outputs) > MAX_STATES:
        return [f"{len(outputs)} hidden states, at most {MAX_STATES} are accepted"]
    missing = [name for i in range(len(outputs)) if (name := f"h_new_{i}") not in outputs]
    if not missing:
        return []
    are = "is" if len(missing) == 1 else "are"
    found = ", ".join(sorted(outputs, key=lambda name: (len(name), name)))
    return [f"{', '.join(missing)} {are} missing: outputs are numbered from 0 without a gap, here {found}"]


def _cycles(nodes: Nodes) -> list[list[str]]:
    """Cycles that share no node, each from its first name along what is read to that name again."""
    cycles: list[list[str]] = []
    left = dict(nodes)
    while True:
        done = {node.name for node in in_order(left)}
        left = {name: node for name, node in left.items() if name not in done}
        if not left:
            return cycles
        cycle = _one_cycle(left)
        cycles.append([*cycle, cycle[0]])
        left = {name: node for name, node in left.items() if name not in cycle}


def _one_cycle(nodes: Nodes) -> list[str]:
    """A cycle, in the direction of the data; every node here reads another one here."""
    path = [min(nodes)]
    while True:
        source = min(source for source in nodes[path[-1]].inputs if source in nodes)
        if source in path:
            cycle = path[path.index(source) :][::-1]
            start = cycle.index(min(cycle))
            return cycle[start:] + cycle[:start]
        path.append(source)


def _deaf(nodes: Nodes, *, is_sound: bool) -> list[str]:
    """A cell that x cannot reach computes the same for every clip; `is_sound` says that there is no other fault."""
    if not any(INPUT in node.inputs for node in nodes.values()):
        return [f"no node reads {INPUT!r}: the cell could not hear its input; let a {LINEAR} node read it"]
    if is_sound and not _reaches_an_output(nodes):
        return [f"no output depends on {INPUT!r}: the cell could not hear its input; let a node that is needed read it"]
    return []


def _reaches_an_output(nodes: Nodes) -> bool:
    readers, seen, left = _readers(nodes), {INPUT}, [INPUT]
    while left:
        new = [reader for reader in readers.get(left.pop(), ()) if reader not in seen]
        seen.update(new)
        left += new
    return any(OUTPUT.fullmatch(name) for name in seen)
