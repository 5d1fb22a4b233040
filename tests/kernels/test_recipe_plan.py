"""The plan of a recipe: levels, blocks, and what is kept for the reverse pass."""

from __future__ import annotations

from audionas.kernels.recipe_plan import Buffer, RecipePlan, recipe_plan
from audionas.spaces.recurrent_genotype import RecurrentGenotype
from audionas.spaces.reference_recipes import reference_recipe
from tests.kernels.recipes import recipe


def _plan(genotype: RecurrentGenotype) -> RecipePlan:
    return recipe_plan(tuple((node.name, node.op, node.inputs) for node in genotype.nodes), 1)


def test_an_lstm_keeps_its_gates_in_place_its_states_and_one_tanh() -> None:
    plan = _plan(reference_recipe("lstm"))
    assert plan.n_blocks(Buffer.LINEAR) == 4, "activations stand where their linear nodes stood"
    assert plan.n_blocks(Buffer.STATE) == 2
    assert plan.n_blocks(Buffer.KEPT) == 1, "tanh of the cell state"
    assert plan.n_blocks(Buffer.PASSING) == 2, "both parts of the cell state"
    assert plan.program.n_levels == 1
    assert [len(run.weights) for run in plan.runs] == [4], "all gates read one state: one product for their weights"


def test_a_gru_waits_once_for_its_reset_gate() -> None:
    plan = _plan(reference_recipe("gru"))
    assert plan.program.n_levels == 2
    assert sorted(len(run.weights) for run in plan.runs) == [1, 2]


def test_readers_of_x_and_readers_of_one_state_are_neighbours() -> None:
    plan = _plan(
        recipe(
            a="linear x h_prev_1",
            b="linear h_prev_0",
            c="linear x h_prev_0",
            d="linear x h_prev_0 h_prev_1",
            h_new_0="elementwise_sum a b",
            h_new_1="elementwise_sum c d",
        )
    )
    assert [node.name for node in plan.linear] == ["c", "d", "a", "b"]
    assert plan.program.n_reading == 3


def test_nodes_that_nothing_reads_are_left_out_and_weights_keep_their_numbers() -> None:
    plan = _plan(recipe(a="linear x h_prev_0", b="linear x a", h_new_0="activation_tanh a", c="linear h_new_0"))
    assert [(node.name, node.bias, node.weights) for node in plan.linear] == [("a", 0, {"x": (0,), "h_prev_0": (1,)})]
    assert plan.program.n_biases == 3


def test_a_plan_is_made_once() -> None:
    assert _plan(reference_recipe("lstm")) is _plan(reference_recipe("lstm"))
