"""Random recipes as NAS-Bench-NLP draws them: one seed gives the same recipe in every process.

Source: Klyuchnikov et al. 2020, section 3, and its release (five rules). Difference: candidates are sorted
before every draw; the release draws from a set of strings, whose order differs between processes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from audionas.ops.recurrent import BLEND, LINEAR
from audionas.seeding import generator
from audionas.spaces.recurrent_genotype import INPUT, RecipeNode, RecurrentGenotype

MAIN_OPS = (LINEAR, LINEAR, LINEAR, BLEND, "elementwise_prod", "elementwise_sum")  # 3 : 1 : 1 : 1
ACTIVATIONS = ("activation_tanh", "activation_sigm", "activation_leaky_relu")
FAN_INS = (2, 2, 2, 2, 3)  # of a linear node: 2 and 3 as 4 : 1
N_INPUTS = {BLEND: 3, "elementwise_prod": 2, "elementwise_sum": 2}


def generate_recipe(seed: int, n_states: int = 2, n_vertices: int = 14) -> RecurrentGenotype:
    """The first valid recipe of a seed; `n_vertices` (7, 14 or 21 in the benchmark) before pruning."""
    attempt = 0
    while True:
        nodes = _draw(generator(seed, "recipe", attempt), n_states, n_vertices)
        if _is_valid(nodes, n_states):
            return RecurrentGenotype.from_recipe(
                {node.name: {"op": node.op, "input": list(node.inputs)} for node in nodes}
            )
        attempt += 1


@dataclass
class _Draft:
    """Nodes so far, in the order drawn; inputs name earlier nodes or what is given."""

    states: list[str]
    nodes: list[RecipeNode] = field(default_factory=list)

    def add(self, op: str, inputs: list[str]) -> str:
        name = f"node_{len(self.nodes)}"
        self.nodes.append(RecipeNode(name, op, tuple(inputs)))
        return name

    def names(self, ops: tuple[str, ...] | None = None) -> list[str]:
        return [node.name for node in self.nodes if ops is None or node.op in ops]


def _draw(rng: np.random.Generator, n_states: int, n_vertices: int) -> list[RecipeNode]:
    """Rules 1 to 4: grow, name the outputs, prune what no output needs."""
    draft = _Draft([f"h_prev_{i}" for i in range(n_states)])
    while len(draft.nodes) < n_states + n_vertices:
        op = str(rng.choice(MAIN_OPS))
        if op == LINEAR:
            candidates = sorted([INPUT, *draft.states, *draft.names(ACTIVATIONS)])
            fan_in = min(int(rng.choice(FAN_INS)), len(candidates))
            linear = draft.add(op, _choose(rng, candidates, fan_in))
            draft.add(str(rng.choice(ACTIVATIONS)), [linear])
            continue
        candidates = sorted([*draft.states, *draft.names()])
        if len(candidates) >= N_INPUTS[op]:
            draft.add(op, _choose(rng, candidates, N_INPUTS[op]))
    outputs = _choose(rng, sorted(draft.names()), n_states)
    return _pruned(draft.nodes, {name: f"h_new_{i}" for i, name in enumerate(outputs)})


def _choose(rng: np.random.Generator, candidates: list[str], n: int) -> list[str]:
    return [str(name) for name in rng.choice(candidates, n, replace=False)]


def _pruned(nodes: list[RecipeNode], outputs: dict[str, str]) -> list[RecipeNode]:
    needed = set(outputs)
    for node in reversed(nodes):  # inputs stand before their readers
        if node.name in needed:
            needed.update(node.inputs)
    return [
        RecipeNode(outputs.get(node.name, node.name), node.op, tuple(outputs.get(s, s) for s in node.inputs))
        for node in nodes
        if node.name in needed
    ]


def _is_valid(nodes: list[RecipeNode], n_states: int) -> bool:
    """Rule 5: x and every state are used, and no output reads a state directly."""
    states = {f"h_prev_{i}" for i in range(n_states)}
    used = {source for node in nodes for source in node.inputs}
    direct = any(node.name.startswith("h_new_") and states & set(node.inputs) for node in nodes)
    return used >= states | {INPUT} and not direct
