"""The space of recurrent supernets: any assignment is a recipe as it stands, and a recipe knows its assignment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

import numpy as np
import pytest

from audionas.errors import GenotypeError, SettingsError
from audionas.ops.recurrent import RNN_OPS
from audionas.records import validate
from audionas.spaces import DartsRecurrentSpace, load_search_space
from audionas.spaces.darts_recurrent import DartsRecurrentNodes
from audionas.spaces.genotype_file import read_genotype_file, save_genotype
from audionas.spaces.recurrent_genotype import RecurrentGenotype, RecurrentMacro
from audionas.spaces.reference_recipes import reference_recipe

SPACE = DartsRecurrentSpace(name="cells")
OTHERS = [
    DartsRecurrentSpace(nodes=DartsRecurrentNodes(max=3)),
    DartsRecurrentSpace(states=2, nodes=DartsRecurrentNodes(max=5), ops=("linear",)),
    DartsRecurrentSpace(states=1, nodes=DartsRecurrentNodes(max=6), ops=("linear", "blend")),
    DartsRecurrentSpace(states=2, nodes=DartsRecurrentNodes(max=12)),
    DartsRecurrentSpace(states=3, nodes=DartsRecurrentNodes(max=4)),
]
ALL = pytest.mark.parametrize("space", [SPACE, *OTHERS], ids=lambda space: f"{space.states}-{space.nodes.max}")


def assignments(space: DartsRecurrentSpace, n: int) -> Iterator[dict[str, str]]:
    """Samples drawn uniformly over the choices, without repair."""
    rng = np.random.default_rng(0)
    columns = {label: rng.choice(options, size=n) for label, options in space.choices().items()}
    for i in range(n):
        yield {label: str(column[i]) for label, column in columns.items()}


def assert_the_rules_hold(recipe: Mapping[str, Mapping[str, Any]], n_states: int) -> None:
    """The rules of the space, apart from the code's own check: those of NAS-Bench-NLP but one, and the gates."""
    states = {f"h_prev_{s}" for s in range(n_states)}
    used = {source for node in recipe.values() for source in node["input"]}
    assert {"x", *states} <= used, "x and every state are used"
    for name, node in recipe.items():
        inputs = node["input"]
        assert len(set(inputs)) == len(inputs), "inputs are distinct"
        if node["op"] == "linear":
            assert "x" in inputs
            assert {*inputs} == {"x", *states} or (len(inputs) == 2 and inputs[1] in recipe)
        else:
            assert len(inputs) == RNN_OPS[node["op"]].fewest
            assert "x" not in inputs, "only linear reads x"
        if not name.startswith("h_new_"):
            assert name in used, "what no output needs is pruned"
    for s in range(n_states):
        output = recipe[f"h_new_{s}"]
        gate, before, candidate = output["input"]
        assert (output["op"], before) == ("blend", f"h_prev_{s}")
        assert (recipe[gate]["op"], recipe[candidate]["op"]) == ("activation_sigm", "activation_tanh")
        assert set(recipe[recipe[gate]["input"][0]]["input"]) == {"x", *states}


def assert_every_assignment_is_a_recipe(space: DartsRecurrentSpace, n: int) -> None:
    options = space.choices()
    for sample in assignments(space, n):
        repaired = space.repair(sample)
        assert list(repaired) == list(options)
        assert all(option in options[label] for label, option in repaired.items())
        assert space.repair(repaired) == repaired, "idempotent"
        genotype = space.genotype(sample)
        assert genotype == space.genotype(repaired)
        assert_the_rules_hold(genotype.to_recipe(), space.states)
        assert space.sample(genotype) == repaired, "a genotype knows the nodes it was made of"


@pytest.mark.slow
def test_every_one_of_ten_thousand_assignments_is_a_recipe() -> None:
    assert_every_assignment_is_a_recipe(DartsRecurrentSpace(states=2, nodes=DartsRecurrentNodes(max=5)), 10_000)


@ALL
def test_every_assignment_is_a_recipe_in_spaces_large_and_small(space: DartsRecurrentSpace) -> None:
    assert_every_assignment_is_a_recipe(space, 60)


@ALL
def test_a_recipe_under_other_names_is_found_in_the_space(space: DartsRecurrentSpace) -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        genotype = space.random(rng)
        names = {node.name: f"z{i}" for i, node in enumerate(genotype.nodes) if not node.name.startswith("h_new_")}
        renamed = {
            names.get(name, name): {"op": node["op"], "input": [names.get(source, source) for source in node["input"]]}
            for name, node in genotype.to_recipe().items()
        }
        stranger = RecurrentGenotype.from_recipe(renamed)
        assert space.genotype(space.sample(stranger)).recipe_hash == genotype.recipe_hash
        assert (genotype.macro, genotype.space) == (space.macro, space.name)


def test_a_genotype_file_keeps_the_nodes(tmp_path: Any) -> None:
    genotype = SPACE.random(np.random.default_rng(3))
    save_genotype(genotype, tmp_path / "genotype.json", {})
    assert SPACE.sample(read_genotype_file(tmp_path / "genotype.json").genotype) == SPACE.sample(genotype)  # type: ignore[arg-type]


def test_choices_are_the_encoding() -> None:
    choices = DartsRecurrentSpace(nodes=DartsRecurrentNodes(max=4)).choices()
    assert "n1_a" not in choices, "n0 is the only node before it"
    assert "n1_c" not in choices, "a blend reads three, there are h_prev_0 and n0"
    assert "blend" not in choices["n1_op"]
    assert choices["n1_b"] == ("h_prev_0", "n0")
    assert choices["n3_op"] == SPACE.ops
    assert choices["n3_a"] == ("n0", "n1", "n2")
    assert choices["n3_b"] == choices["n3_c"] == ("h_prev_0", "n0", "n1", "n2")


def test_the_size_is_that_of_the_formula() -> None:
    # node 1: 6 operations and 2 sources for b; node i: 7 operations, i nodes for a, 1 + i sources for b and for c
    assert SPACE.size() == 6 * 2 * prod(7 * i * (1 + i) ** 2 for i in range(2, 8))


def test_an_input_that_is_taken_moves_on_and_what_is_not_needed_is_its_first_option() -> None:
    space = DartsRecurrentSpace(nodes=DartsRecurrentNodes(max=4))
    sample = {
        "n1_op": "elementwise_sum", "n1_b": "n0",
        "n2_op": "activation_sigm", "n2_a": "n1", "n2_b": "n1", "n2_c": "n0",
        "n3_op": "blend", "n3_a": "n1", "n3_b": "n1", "n3_c": "n1",
    }  # fmt: skip
    assert space.repair(sample) == {
        "n1_op": "elementwise_sum", "n1_b": "h_prev_0",  # after the last source, n0, comes the first
        "n2_op": "linear", "n2_a": "n0", "n2_b": "h_prev_0", "n2_c": "h_prev_0",  # nothing needs n2
        "n3_op": "blend", "n3_a": "n1", "n3_b": "n2", "n3_c": "h_prev_0",
    } | {"n2_op": "activation_sigm", "n2_a": "n1"}  # but n3 reads it now  # fmt: skip
    assert space.genotype(sample).to_recipe() == {
        "n0": {"op": "linear", "input": ["x", "h_prev_0"]},
        "n1": {"op": "elementwise_sum", "input": ["n0", "h_prev_0"]},
        "n2": {"op": "activation_sigm", "input": ["n1"]},
        "n3": {"op": "blend", "input": ["n1", "n2", "h_prev_0"]},
        "n4": {"op": "linear", "input": ["x", "h_prev_0"]},
        "n5": {"op": "activation_sigm", "input": ["n4"]},
        "n6": {"op": "activation_tanh", "input": ["n3"]},
        "h_new_0": {"op": "blend", "input": ["n5", "h_prev_0", "n6"]},
    }


def test_a_linear_node_reads_what_the_first_one_reads_and_not_the_first_one() -> None:
    space = DartsRecurrentSpace(states=2, nodes=DartsRecurrentNodes(max=3), ops=("linear", "activation_tanh"))
    sample = {"n1_op": "linear", "n2_op": "linear", "n2_a": "n0"}
    recipe = space.genotype(sample).to_recipe()
    assert recipe["n1"] == recipe["n2"] == {"op": "linear", "input": ["x", "h_prev_0", "h_prev_1"]}
    assert "n0" not in recipe
    assert space.genotype(sample | {"n2_a": "n1"}).to_recipe()["n2"] == {"op": "linear", "input": ["x", "n1"]}


def test_the_gru_is_in_the_space_and_the_lstm_is_not() -> None:
    gru = reference_recipe("gru")
    small = DartsRecurrentSpace(nodes=DartsRecurrentNodes(max=4))
    sample = small.sample(gru)
    assert small.genotype(sample).recipe_hash == gru.recipe_hash
    kept = {label: sample[label] for label in small.needed(sample)}
    assert kept == {
        "n1_op": "activation_sigm", "n2_op": "elementwise_prod", "n2_a": "n1", "n2_b": "h_prev_0", "n3_op": "linear",
        "n3_a": "n2",
    }  # fmt: skip
    with pytest.raises(GenotypeError, match=r"h_new_0 must be blend\(sigm\(linear\(x, every state\)\), h_prev_0, tanh"):
        DartsRecurrentSpace(states=2).check(reference_recipe("lstm"))


def test_the_strongest_are_kept_and_of_equals_the_first() -> None:
    space = DartsRecurrentSpace(nodes=DartsRecurrentNodes(max=3), ops=("linear", "elementwise_sum"))
    equal = {label: [0.5] * len(options) for label, options in space.choices().items()}
    assert space.strongest(equal) == {"n1_op": "linear", "n1_b": "h_prev_0", "n2_op": "linear", "n2_a": "n0",
                                      "n2_b": "h_prev_0"}  # fmt: skip
    numbers = equal | {"n2_op": [0.4, 0.6], "n2_a": [0.1, 0.9], "n2_b": [0.2, 0.1, 0.7]}  # b: h_prev_0, n0, n1
    assert space.strongest(numbers)["n2_b"] == "h_prev_0", "n1 is taken by a"
    assert space.margins(numbers) == pytest.approx({"n1_op": 0.0, "n2_op": 0.2, "n2_a": 0.8, "n2_b": 0.1})


def test_one_seed_gives_one_genotype_and_others_give_others() -> None:
    hashes = [SPACE.random(np.random.default_rng(seed)).hash for seed in range(20)]
    assert hashes == [SPACE.random(np.random.default_rng(seed)).hash for seed in range(20)]
    assert len(set(hashes)) > 15


GATE: dict[str, Any] = {
    "n0": {"op": "linear", "input": ["x", "h_prev_0"]},
    "end": {"op": "activation_sigm", "input": ["n0"]},
    "l": {"op": "linear", "input": ["x", "h_prev_0"]},
    "g": {"op": "activation_sigm", "input": ["l"]},
    "c": {"op": "activation_tanh", "input": ["end"]},
    "h_new_0": {"op": "blend", "input": ["g", "h_prev_0", "c"]},
}


def _recipe(**changes: dict[str, Any]) -> RecurrentGenotype:
    return RecurrentGenotype.from_recipe(GATE | changes)


def _node(op: str, *inputs: str) -> dict[str, Any]:
    return {"op": op, "input": list(inputs)}


@pytest.mark.parametrize(
    ("genotype", "fault"),
    [
        (_recipe(h_new_1=_node("activation_tanh", "end")), "2 hidden states, expected 1"),
        (_recipe(h_new_0=_node("blend", "g", "c", "h_prev_0")), "h_new_0 must be blend"),
        (_recipe(g=_node("activation_tanh", "l")), "h_new_0 must be blend"),
        (_recipe(end=_node("elementwise_sum", "n0", "l")), "of nodes that nothing else reads"),
        (_recipe(z=_node("activation_tanh", "n0")), "node 'z' is needed by no output"),
        (_recipe(end=_node("elementwise_sum", "n0", "n0")), "node 'end' takes the same input twice"),
        (_recipe(end=_node("elementwise_sum", "n0", "n1", "n2"), n1=_node("activation_tanh", "n0"),
                 n2=_node("activation_sigm", "n0")), "elementwise_sum has 3 inputs, takes 2"),
        (_recipe(end=_node("activation_sigm", "h_prev_0")), "node 'end' reads no node: one of its inputs must be"),
        (_recipe(end=_node("blend", "h_prev_0", "n0", "l2"), l2=_node("linear", "x", "h_prev_0")),
         "node 'end' reads no node: the gate g of a blend is a node"),
        (_recipe(end=_node("linear", "x")), "node 'end': a linear node reads x and either every state or one node"),
        (_recipe(end=_node("linear", "n0", "h_prev_0")), "node 'end': a linear node reads x and either"),
    ],
)  # fmt: skip
def test_a_genotype_of_another_space_is_refused_with_its_fault(genotype: RecurrentGenotype, fault: str) -> None:
    SPACE.check(_recipe())
    with pytest.raises(GenotypeError, match=f"^genotype is not of space 'cells': .*{fault}"):
        SPACE.check(genotype)
    with pytest.raises(GenotypeError, match=fault):
        SPACE.sample(genotype)


def test_a_node_that_a_state_is_made_of_is_read_by_lower_states_only() -> None:
    gates = {
        f"{name}{s}": node
        for s in (0, 1)
        for name, node in {
            "l": _node("linear", "x", "h_prev_0", "h_prev_1"), "g": _node("activation_sigm", f"l{s}"),
            "c": _node("activation_tanh", f"end{s}"), "h_new_": _node("blend", f"g{s}", f"h_prev_{s}", f"c{s}"),
        }.items()
    }  # fmt: skip
    first = {"n0": _node("linear", "x", "h_prev_0", "h_prev_1")}
    space = DartsRecurrentSpace(states=2)
    low = {"end1": _node("activation_sigm", "n0"), "end0": _node("activation_sigm", "end1")}
    space.check(RecurrentGenotype.from_recipe(gates | first | low))
    high = {"end0": _node("activation_sigm", "n0"), "end1": _node("activation_sigm", "end0")}
    with pytest.raises(GenotypeError, match="node 'end1' reads a node that a state is made of, which only that of"):
        space.check(RecurrentGenotype.from_recipe(gates | first | high))


def test_too_many_nodes_another_operation_and_a_cnn_cell_are_refused() -> None:
    small = DartsRecurrentSpace(nodes=DartsRecurrentNodes(max=3), ops=("linear", "elementwise_prod", "activation_sigm"))
    with pytest.raises(GenotypeError, match=r"4 nodes without those of the gates, .* at most 3 are accepted"):
        small.check(reference_recipe("gru"))
    with pytest.raises(GenotypeError, match=r"unknown operation 'activation_leaky_relu'.*; known: activation_sigm"):
        small.check(_recipe(end=_node("activation_leaky_relu", "n0")))
    with pytest.raises(GenotypeError, match="it is not a recurrent one"):
        small.check(load_search_space("darts_cnn_small").random(np.random.default_rng(0)))


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"ops": ["linear", "blen"]}, r"unknown operation 'blen' \(did you mean 'blend'\?\)"),
        ({"ops": ["linear", "linear"]}, "an operation stands twice"),
        ({"ops": ["activation_tanh"]}, "'linear' is missing; no other operation reads x"),
        ({"states": 4}, "states: got 4, must be at most 3"),
        ({"nodes": {"max": 2}}, "nodes.max: got 2, must be at least 3"),
        ({"nodes": {"max": 17}}, "nodes.max: got 17, must be at most 16"),
        ({"states": 3, "nodes": {"max": 3}}, "nodes: max is 3 for 3 states, must be at least 4"),
        ({"nodes": {"linear_inputs": [2]}}, "unknown key 'nodes.linear_inputs'"),
        ({"macro": {"emit": "h0+h1"}}, r"macro: emit: h0\+h1 needs two states"),
    ],
)
def test_a_setting_out_of_range_is_named(settings: dict[str, Any], fault: str) -> None:
    with pytest.raises(SettingsError, match=f"^my.yaml: .*{fault}"):
        validate(DartsRecurrentSpace, settings, "my.yaml")


def test_settings_give_the_space_back_and_the_shipped_yaml_is_the_default() -> None:
    space = DartsRecurrentSpace(name="cells", states=3, macro=RecurrentMacro(hidden=64))
    assert validate(DartsRecurrentSpace, {"name": "cells", **space.to_settings()}, "settings") == space
    shipped = load_search_space("darts_rnn")
    assert shipped.model_copy(update={"name": "cells", "macro": RecurrentMacro()}) == SPACE
