"""Recipes: every fault is named, and the hash is equal exactly for isomorphic ones."""

from __future__ import annotations

import hashlib
import random
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audionas.errors import GenotypeError, SettingsError
from audionas.spaces.catalogue_file import shipped_recipes
from audionas.spaces.recurrent_genotype import RecurrentGenotype
from audionas.spaces.reference_recipes import REFERENCE_RECIPES, reference_recipe

RNN: dict[str, Any] = {
    "f": {"op": "linear", "input": ["x", "h_prev_0"]},
    "h_new_0": {"op": "activation_tanh", "input": ["f"]},
}


def _with(**nodes: Any) -> dict[str, Any]:
    return RNN | {name: {"op": op, "input": inputs} for name, (op, inputs) in nodes.items()}


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ({}, "expected an object of nodes"),
        ([], "expected an object of nodes, got list"),
        ({"h_new_0": 3}, "node 'h_new_0' must be"),
        ({"h_new_0": {"op": "linear", "input": "x"}}, "input must be a list of names"),
        (_with(g=("linaer", ["x"])), "did you mean 'linear'"),
        (_with(g=("blend", ["f", "x"])), "node 'g': blend has 2 inputs, takes 3"),
        (_with(g=("activation_tanh", ["f", "x"])), "activation_tanh has 2 inputs, takes 1"),
        (_with(g=("linear", [])), "linear has 0 inputs, takes 1 or more"),
        (
            _with(g=("linear", ["ghost"])),
            "node 'g' reads 'ghost', but nothing defines it; there are: f, g, h_new_0, h_prev_0, x$",
        ),
        (_with(gate=("linear", ["h_prv_0"])), r"reads 'h_prv_0', but nothing defines it \(did you mean 'h_prev_0'\?\)"),
        (_with(g=("linear", ["h_prev_1"])), r"reads 'h_prev_1', but only 1 hidden state\(s\)"),
        (_with(x=("linear", ["f"])), "node 'x' is given and cannot be defined"),
        (_with(h_prev_0=("linear", ["f"])), "node 'h_prev_0' is given"),
        (
            _with(h_new_2=("activation_tanh", ["f"])),
            "my.json: h_new_1 is missing: outputs are numbered from 0 without a gap, here h_new_0, h_new_2$",
        ),
        (_with(h_new_4000000000=("activation_tanh", ["f"])), "h_new_1 is missing: .* here h_new_0, h_new_4000000000$"),
        ({"f": RNN["f"]}, "at least h_new_0 must be defined"),
        (_with(a=("activation_tanh", ["b"]), b=("activation_tanh", ["a"])), "nodes form a cycle: a -> b -> a$"),
        (_with(a=("activation_tanh", ["a"])), "nodes form a cycle: a -> a$"),
        ({"h_new_0": {"op": "activation_tanh", "input": ["h_prev_0"]}}, "no node reads 'x': the cell could not hear"),
        (
            {"f": RNN["f"], "h_new_0": {"op": "activation_tanh", "input": ["h_prev_0"]}},
            "no output depends on 'x': the cell could not hear its input",
        ),
        (_with(g=(3, ["f"])), "node 'g' must be"),
        ({f"n{i}": RNN["f"] for i in range(257)}, "257 nodes, at most 256 are accepted"),
        (_with(**{f"h_new_{i}": ("activation_tanh", ["f"]) for i in range(4)}), "4 hidden states, at most 3"),
    ],
)
def test_a_faulty_recipe_is_one_line(recipe: Any, message: str) -> None:
    with pytest.raises(GenotypeError, match=message) as caught:
        RecurrentGenotype.from_recipe(recipe, "my.json")
    assert str(caught.value).startswith("my.json: ")
    assert "\n" not in str(caught.value)


def test_all_faults_are_reported_together() -> None:
    with pytest.raises(GenotypeError, match=r"unknown operation 'add'.*blend has 1 inputs.*'ghost'"):
        RecurrentGenotype.from_recipe(_with(a=("add", ["f"]), b=("linear", ["ghost"]), c=("blend", ["f"])))


def test_faults_of_shape_of_inputs_of_outputs_and_cycles_are_reported_together() -> None:
    recipe = _with(
        bad=("linear", "x"), a=("linear", ["b", "bad"]), b=("linear", ["c"]), c=("linear", ["a"]),
        behind=("linear", ["c", "ghost"]), p=("linear", ["q"]), q=("linear", ["p"]),
        h_new_2=("tanh", ["f"]),
    ) | {"odd": 3}  # fmt: skip
    with pytest.raises(GenotypeError) as caught:
        RecurrentGenotype.from_recipe(recipe, "my.json")
    faults = str(caught.value).removeprefix("my.json: ").split("; ")
    assert faults[:2] == [
        "node 'bad': input must be a list of names",
        'node \'odd\' must be {"op": ..., "input": [...]}',
    ]
    assert faults[2].startswith("node 'h_new_2': unknown operation 'tanh'")
    assert faults[4:] == [
        "node 'behind' reads 'ghost', but nothing defines it",
        "there are: a, b, bad, behind, c, f, h_new_0, h_new_2, h_prev_0, h_prev_1, h_prev_2, odd, p, q, x",
        "h_new_1 is missing: outputs are numbered from 0 without a gap, here h_new_0, h_new_2",
        "nodes form a cycle: a -> c -> b -> a",
        "nodes form a cycle: p -> q -> p",
    ]


def test_of_many_undefined_inputs_twenty_are_named() -> None:
    with pytest.raises(GenotypeError, match=r"'y19', but [^;]*; 80 more inputs that nothing defines; there are: f, "):
        RecurrentGenotype.from_recipe(_with(g=("linear", [f"y{i}" for i in range(100)])))


def test_a_node_that_no_output_needs_is_accepted() -> None:
    assert len(RecurrentGenotype.from_recipe(_with(dead=("linear", ["x", "f"]))).nodes) == 3


def test_x_may_come_by_a_state_of_the_step_before() -> None:
    recipe = {
        "h_new_0": {"op": "activation_tanh", "input": ["h_prev_1"]},
        "h_new_1": {"op": "linear", "input": ["x", "h_prev_1"]},
    }
    assert RecurrentGenotype.from_recipe(recipe).n_states == 2


def test_an_inner_node_may_be_called_like_an_output_with_a_tail() -> None:
    genotype = RecurrentGenotype.from_recipe(_with(h_new_1_part1=("linear", ["f"])))
    assert genotype.n_states == 1


@pytest.mark.parametrize(
    ("name", "n_states"), [("rnn", 1), ("gru", 1), ("gru_reset_after", 1), ("lstm", 2), ("lstm_nbnlp", 2)]
)
def test_reference_recipes_have_their_states_and_round_trip(name: str, n_states: int) -> None:
    genotype = reference_recipe(name)
    assert genotype.n_states == n_states
    assert RecurrentGenotype.from_recipe(genotype.to_recipe()) == genotype


def test_an_unknown_reference_recipe_names_those_there_are() -> None:
    with pytest.raises(SettingsError, match="did you mean 'lstm'"):
        reference_recipe("lstmm")


def _renamed(recipe: dict[str, Any], seed: int) -> dict[str, Any]:
    """Inner nodes renamed and reordered, inputs of unordered operations shuffled."""
    rng = random.Random(seed)
    inner = [name for name in recipe if not (name.startswith("h_new_") and name[6:].isdigit())]
    names = dict(zip(inner, rng.sample([f"n{i}" for i in range(len(inner))], len(inner)), strict=True))
    items = []
    for name, body in recipe.items():
        inputs = [names.get(source, source) for source in body["input"]]
        if body["op"] != "blend":
            rng.shuffle(inputs)
        items.append((names.get(name, name), {"op": body["op"], "input": inputs}))
    rng.shuffle(items)
    return dict(items)


@given(st.sampled_from(sorted(REFERENCE_RECIPES)), st.integers(0, 10_000))
def test_the_hash_does_not_see_names_and_order(name: str, seed: int) -> None:
    recipe = REFERENCE_RECIPES[name]
    assert RecurrentGenotype.from_recipe(_renamed(recipe, seed)).hash == reference_recipe(name).hash


def test_the_hash_sees_the_order_of_a_blend_and_which_state_is_which() -> None:
    turned = REFERENCE_RECIPES["gru"] | {"h_new_0": {"op": "blend", "input": ["z_act", "h_tilde_act", "h_prev_0"]}}
    assert RecurrentGenotype.from_recipe(turned).hash != reference_recipe("gru").hash
    lstm = REFERENCE_RECIPES["lstm"]
    swap = {"h_prev_0": "h_prev_1", "h_prev_1": "h_prev_0"}
    other = {
        name: {"op": body["op"], "input": [swap.get(source, source) for source in body["input"]]}
        for name, body in lstm.items()
    }
    assert RecurrentGenotype.from_recipe(other).hash != reference_recipe("lstm").hash
    assert len({reference_recipe(name).hash for name in REFERENCE_RECIPES}) == len(REFERENCE_RECIPES)


def test_the_hashes_of_the_shipped_catalogue_are_those_that_genotype_files_hold() -> None:
    """Against earlier output on purpose: files that users keep hold these hashes (first written 2026-11-21)."""
    hashes = sorted(entry.genotype.hash for entry in shipped_recipes("nas_bench_nlp"))
    assert len(hashes) == 265
    assert (
        hashlib.sha256("".join(hashes).encode()).hexdigest()
        == "bc8646a9c0653496e014903e63422bd9a19f830f92cde3f823c4ad3fe0034c55"
    )


def test_the_hash_of_a_recipe_of_256_nodes_is_quick() -> None:
    names, recipe = ["h_prev_0"], dict(RNN)
    for i in range(254):
        recipe[f"n{i}"] = {"op": "linear", "input": ["x", *names[-9:]]}
        names.append(f"n{i}")
    genotype = RecurrentGenotype.from_recipe(recipe)
    start = time.process_time()
    assert genotype.hash == RecurrentGenotype.from_recipe(_renamed(recipe, 1)).hash
    assert time.process_time() - start < 3.0
