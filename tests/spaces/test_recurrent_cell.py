"""The recurrent cell space: every assignment is a recipe that keeps the rules, and every recipe has a sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

import numpy as np
import pytest

from audionas.errors import GenotypeError, SettingsError
from audionas.ops.recurrent import RNN_OPS
from audionas.records import validate
from audionas.spaces import load_search_space, space_from_settings
from audionas.spaces.recipe_generator import generate_recipe
from audionas.spaces.recurrent_cell import RecurrentCellSpace, RecurrentNodes
from audionas.spaces.recurrent_genotype import RecurrentGenotype, RecurrentMacro
from audionas.spaces.reference_recipes import reference_recipe

SPACE = RecurrentCellSpace(name="cells")
OTHERS = [
    RecurrentCellSpace(states=1, nodes=RecurrentNodes(max=2, linear_inputs=(2,))),
    RecurrentCellSpace(states=2, nodes=RecurrentNodes(max=4, linear_inputs=(2,))),
    RecurrentCellSpace(states=2, nodes=RecurrentNodes(max=5), ops=("linear",)),
    RecurrentCellSpace(states=3, nodes=RecurrentNodes(max=6, linear_inputs=(2,))),
    RecurrentCellSpace(states=3, nodes=RecurrentNodes(max=20)),
]


def assignments(space: RecurrentCellSpace, n: int) -> Iterator[dict[str, str]]:
    """Samples drawn uniformly over the choices, without repair."""
    rng = np.random.default_rng(0)
    columns = {label: rng.choice(options, size=n) for label, options in space.choices().items()}
    for i in range(n):
        yield {label: str(column[i]) for label, column in columns.items()}


def assert_the_rules_hold(recipe: Mapping[str, Mapping[str, Any]], n_states: int) -> None:
    """The rules of NAS-Bench-NLP (FACTS section 2, rules 3 to 5), apart from the code's own check."""
    states = {f"h_prev_{s}" for s in range(n_states)}
    used = {source for node in recipe.values() for source in node["input"]}
    assert {"x", *states} <= used, "x and every state are used"
    for name, node in recipe.items():
        inputs = node["input"]
        assert len(set(inputs)) == len(inputs), "inputs are distinct"
        if name.startswith("h_new_"):
            assert not states & set(inputs), "an output reads no state directly"
        else:
            assert name in used, "what no output needs is pruned"
        if node["op"] == "linear":
            assert len(inputs) in (2, 3)
        else:
            assert len(inputs) == RNN_OPS[node["op"]].fewest
            assert "x" not in inputs, "only linear reads x"


def assert_every_assignment_is_a_recipe(space: RecurrentCellSpace, n: int) -> None:
    options = space.choices()
    for sample in assignments(space, n):
        repaired = space.repair(sample)
        assert list(repaired) == list(options)
        assert all(option in options[label] for label, option in repaired.items())
        assert space.repair(repaired) == repaired, "idempotent"
        genotype = space.genotype(sample)
        assert genotype == space.genotype(repaired)
        assert genotype.n_states == space.states
        assert_the_rules_hold(genotype.to_recipe(), space.states)
        space.check(genotype)


@pytest.mark.slow
def test_every_one_of_ten_thousand_assignments_is_a_recipe() -> None:
    assert_every_assignment_is_a_recipe(SPACE, 10_000)


@pytest.mark.parametrize("space", [SPACE, *OTHERS], ids=lambda space: f"{space.states}-{space.nodes.max}")
def test_every_assignment_is_a_recipe_in_spaces_large_and_small(space: RecurrentCellSpace) -> None:
    assert_every_assignment_is_a_recipe(space, 200)


@pytest.mark.parametrize("space", [SPACE, *OTHERS], ids=lambda space: f"{space.states}-{space.nodes.max}")
def test_a_sample_of_a_genotype_gives_the_genotype_back(space: RecurrentCellSpace) -> None:
    rng = np.random.default_rng(1)
    for _ in range(60):
        genotype = space.random(rng)
        sample = space.sample(genotype)
        assert space.genotype(sample).hash == genotype.hash
        assert space.repair(sample) == sample, "canonical already"
        assert (genotype.macro, genotype.space) == (space.macro, space.name)


def test_a_repair_changes_nothing_but_what_breaks_a_rule() -> None:
    # n0 reads a state twice: the second becomes the next source, n1 (an output) may not read a state at all
    space = RecurrentCellSpace(states=1, nodes=RecurrentNodes(max=3))
    sample = {
        "n0_op": "linear", "n0_a": "h_prev_0", "n0_b": "h_prev_0", "n0_c": "none",
        "n1_op": "activation_tanh", "n1_a": "n0", "n1_b": "h_prev_0", "n1_c": "h_prev_0",
        "n2_op": "linear", "n2_a": "n1", "n2_b": "n1", "n2_c": "n0",
        "out_0": "n1",
    }  # fmt: skip
    repaired = space.repair(sample)
    assert repaired == sample | {
        "n0_b": "x",  # after the last source, h_prev_0, comes the first
        "n1_b": "x", "n1_c": "none",  # a tanh reads one input
        "n2_a": "x", "n2_b": "h_prev_0", "n2_c": "none",  # nothing needs n2
    }  # fmt: skip
    assert space.genotype(sample).to_recipe() == {
        "n0": {"op": "linear", "input": ["h_prev_0", "x"]},
        "h_new_0": {"op": "activation_tanh", "input": ["n0"]},
    }


def test_an_unused_input_is_read_by_the_first_linear_node() -> None:
    space = RecurrentCellSpace(states=2, nodes=RecurrentNodes(max=4))
    sample = space.repair(space.sample(space.random(np.random.default_rng(0)))) | {
        "n0_op": "linear", "n0_a": "x", "n0_b": "h_prev_0", "n0_c": "none",
        "n1_op": "activation_tanh", "n1_a": "n0", "n2_op": "activation_sigm", "n2_a": "n0",
        "out_0": "n1", "out_1": "n2",
    }  # fmt: skip
    assert space.genotype(sample).to_recipe()["n0"] == {"op": "linear", "input": ["x", "h_prev_0", "h_prev_1"]}


def test_outputs_stand_on_distinct_nodes_and_never_on_the_first() -> None:
    sample = next(assignments(SPACE, 1)) | {"out_0": "n0", "out_1": "n1"}
    repaired = SPACE.repair(sample)
    assert (repaired["out_0"], repaired["out_1"]) == ("n1", "n2")


def test_choices_are_the_encoding() -> None:
    choices = RecurrentCellSpace(states=2, nodes=RecurrentNodes(max=4)).choices()
    sources = ("x", "h_prev_0", "h_prev_1", "n0", "n1")
    assert choices["n2_op"] == SPACE.ops
    assert choices["n2_a"] == choices["n2_b"] == sources
    assert set(choices["n2_c"]) == {*sources, "none"}
    assert choices["out_1"] == ("n0", "n1", "n2", "n3")
    assert len(choices) == 4 * 4 + 2


def test_the_size_is_that_of_the_formula() -> None:
    # node i: 7 operations, 3 + i sources for a and b, one more for c; 14 nodes for each of two outputs
    assert SPACE.size() == prod(7 * (3 + i) ** 2 * (4 + i) for i in range(14)) * 14**2
    assert isinstance(SPACE.size(), int)


def test_one_seed_gives_one_genotype_and_others_give_others() -> None:
    hashes = [SPACE.random(np.random.default_rng(seed)).hash for seed in range(40)]
    assert hashes == [SPACE.random(np.random.default_rng(seed)).hash for seed in range(40)]
    assert len(set(hashes)) > 35


def test_the_generator_of_the_release_draws_within_the_space() -> None:
    for seed in range(20):
        genotype = SPACE.generate(seed)
        SPACE.check(genotype)
        assert (genotype.macro, genotype.space) == (SPACE.macro, "cells")
    first = generate_recipe(0, 2, 14)
    assert len(first.nodes) <= 14
    assert SPACE.generate(0).recipe_hash == first.recipe_hash, "the seed's own recipe, where it fits"


def test_a_space_without_activations_has_no_generated_recipe() -> None:
    space = RecurrentCellSpace(name="bare", ops=("linear", "elementwise_sum"), nodes=RecurrentNodes(max=4))
    with pytest.raises(GenotypeError, match=r"space 'bare': none of 1000 recipes .* allow more operations or nodes"):
        space.generate(0)


def _recipe(**changes: dict[str, Any]) -> RecurrentGenotype:
    """A recipe of SPACE with some of its nodes changed."""
    nodes: dict[str, Any] = {
        "a": {"op": "linear", "input": ["x", "h_prev_0", "h_prev_1"]},
        "h_new_0": {"op": "activation_tanh", "input": ["a"]},
        "h_new_1": {"op": "activation_sigm", "input": ["a"]},
    }
    return RecurrentGenotype.from_recipe(nodes | changes)


@pytest.mark.parametrize(
    ("genotype", "fault"),
    [
        (reference_recipe("rnn"), "1 hidden states, expected 2"),
        (_recipe(b={"op": "linear", "input": ["a"]}), "node 'b': linear has 1 inputs, takes 2 or 3"),
        (_recipe(b={"op": "elementwise_sum", "input": ["a", "h_new_0", "h_new_1"]}), "has 3 inputs, takes 2"),
        (_recipe(h_new_1={"op": "elementwise_sum", "input": ["a", "a"]}), "'h_new_1' takes the same input twice"),
        (_recipe(h_new_1={"op": "elementwise_sum", "input": ["a", "h_prev_1"]}), "is an output and reads a state"),
        (_recipe(b={"op": "activation_tanh", "input": ["a"]}), "node 'b' is needed by no output"),
        (_recipe(a={"op": "linear", "input": ["x", "h_prev_0"]}), "nothing reads 'h_prev_1'"),
        (_recipe(h_new_1={"op": "blend", "input": ["a", "a", "a"]}), "takes the same input twice"),
    ],
)
def test_a_genotype_of_another_space_is_refused_with_its_first_fault(genotype: RecurrentGenotype, fault: str) -> None:
    SPACE.check(_recipe())
    with pytest.raises(GenotypeError, match=f"^genotype is not of space 'cells': .*{fault}"):
        SPACE.check(genotype)
    with pytest.raises(GenotypeError, match=fault):
        SPACE.sample(genotype)


def test_too_many_nodes_another_operation_and_a_cnn_cell_are_refused() -> None:
    small = RecurrentCellSpace(nodes=RecurrentNodes(max=4), ops=("linear", "activation_tanh"))
    with pytest.raises(GenotypeError, match=r"unknown operation 'activation_sigm'.*; known: activation_tanh, linear"):
        small.check(_recipe())
    with pytest.raises(GenotypeError, match="13 nodes, at most 4 are accepted"):
        small.check(reference_recipe("lstm"))
    with pytest.raises(GenotypeError, match="it is not a recurrent one"):
        small.check(load_search_space("darts_cnn_small").random(np.random.default_rng(0)))


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"ops": ["linear", "blen"]}, r"unknown operation 'blen' \(did you mean 'blend'\?\)"),
        ({"ops": ["linear", "linear"]}, "an operation stands twice"),
        ({"ops": ["activation_tanh"]}, "'linear' is missing; no other operation reads x"),
        ({"states": 4}, "states: got 4, must be at most 3"),
        ({"nodes": {"max": 1}}, "nodes.max: got 1, must be at least 2"),
        ({"nodes": {"max": 3}}, "nodes: max is 3 for 2 states, must be at least 4"),
        ({"nodes": {"linear_inputs": [3]}}, r"must be \[2\] or \[2, 3\]"),
        ({"nodes": {"inputs": 2}}, "unknown key 'nodes.inputs'"),
        ({"states": 1, "macro": {"emit": "h0+h1"}}, r"macro: emit: h0\+h1 needs two states"),
    ],
)
def test_a_setting_out_of_range_is_named(settings: dict[str, Any], fault: str) -> None:
    with pytest.raises(SettingsError, match=f"^my.yaml: .*{fault}"):
        validate(RecurrentCellSpace, settings, "my.yaml")


def test_settings_give_the_space_back() -> None:
    space = RecurrentCellSpace(name="cells", states=3, macro=RecurrentMacro(hidden=64))
    assert validate(RecurrentCellSpace, {"name": "cells", **space.to_settings()}, "settings") == space


def test_the_shipped_yamls_are_spaces() -> None:
    space = load_search_space("nas_bench_nlp_rnn")
    assert isinstance(space, RecurrentCellSpace)
    assert space.model_copy(update={"name": "cells"}) == SPACE, "the defaults are NAS-Bench-NLP's"
    assert load_search_space("nas_bench_nlp_catalogue").size() == 265
    assert load_search_space("nas_bench_nlp_catalogue_two_states").size() == 123


def test_all_faults_of_a_yaml_are_named_together() -> None:
    settings = {
        "kind": "recurrent_cell", "name": "mine", "states": 2, "nodes": {"max": 2}, "ops": ["linaer", "blend", "blend"],
        "macro": {"emit": "h0+h1", "hidden": 0}, "colour": "red",
    }  # fmt: skip
    with pytest.raises(SettingsError, match=r"^my\.yaml: key 'name'") as caught:
        space_from_settings(settings, "my", "my.yaml")
    for words in (
        "key 'name': the name is that of the file", "nodes: max is 2 for 2 states", "did you mean 'linear'",
        "an operation stands twice", "'linear' is missing", "macro.hidden: got 0", "unknown key 'colour'",
    ):  # fmt: skip
        assert any(words in problem for problem in caught.value.problems), words
