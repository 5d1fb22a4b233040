"""The five rules of the generator, on many seeds, and the same recipe in every process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from audionas.ops.recurrent import RNN_OPS
from audionas.spaces import recipe_generator
from audionas.spaces.recipe_generator import ACTIVATIONS, generate_recipe


@pytest.mark.parametrize(("n_states", "n_vertices"), [(1, 7), (2, 14), (3, 21)])
def test_every_recipe_keeps_the_rules(n_states: int, n_vertices: int) -> None:
    for seed in range(60):
        genotype = generate_recipe(seed, n_states, n_vertices)
        nodes = {node.name: node for node in genotype.nodes}
        states = {f"h_prev_{i}" for i in range(n_states)}
        assert genotype.n_states == n_states
        assert len(nodes) <= n_states + n_vertices + 1
        used = {source for node in nodes.values() for source in node.inputs}
        assert {"x", *states} <= used
        for name, node in nodes.items():
            if name.startswith("h_new_"):
                assert not states & set(node.inputs), "an output reads no state directly"
            else:
                assert name in used, "what no output needs is pruned"
            if node.op == "linear":
                allowed = {"x", *states, *(n for n, other in nodes.items() if other.op in ACTIVATIONS)}
                assert set(node.inputs) <= allowed
                assert 2 <= len(node.inputs) <= 3
            elif node.op not in ACTIVATIONS:
                assert "x" not in node.inputs
            else:
                assert nodes[node.inputs[0]].op == "linear", "an activation stands on its linear"
            assert len(set(node.inputs)) == len(node.inputs), "drawn without replacement"


def test_operations_are_drawn_in_the_published_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe_generator, "_pruned", lambda nodes, _: nodes)
    counts: Counter[str] = Counter()
    fan_ins: Counter[int] = Counter()
    for seed in range(300):
        drawn = recipe_generator._draw(np.random.default_rng(seed), 2, 21)
        counts.update(node.op for node in drawn if node.op not in ACTIVATIONS)
        fan_ins.update(len(node.inputs) for node in drawn if node.op == "linear")
    total = sum(counts.values())
    assert counts["linear"] / total == pytest.approx(0.5, abs=0.04)
    assert counts["elementwise_prod"] / total == pytest.approx(1 / 6, abs=0.04)
    assert set(counts) <= set(RNN_OPS)
    assert fan_ins[3] / sum(fan_ins.values()) == pytest.approx(0.2, abs=0.03)


def test_one_seed_gives_one_recipe_in_every_process() -> None:
    code = "from audionas.spaces.recipe_generator import generate_recipe; print(generate_recipe(7).hash)"
    salt = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"  # this process has another
    env = os.environ | {"PYTHONHASHSEED": salt}
    found = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert found.stdout == generate_recipe(7).hash + "\n"


def test_other_seeds_give_other_recipes() -> None:
    assert len({generate_recipe(seed).hash for seed in range(30)}) >= 28
