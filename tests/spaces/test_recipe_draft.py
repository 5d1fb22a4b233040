"""Drafts of recipes: what the outputs need, and the last resort of the repair."""

from __future__ import annotations

from audionas.spaces.recipe_draft import RecipeDraft, mended
from audionas.spaces.recurrent_genotype import RecurrentGenotype
from audionas.spaces.reference_recipes import reference_recipe

LAST = (("activation_sigm", ("n2",)),)


def test_a_draft_knows_what_its_outputs_need() -> None:
    draft = RecipeDraft(
        (("linear", ("x", "h_prev_0")), ("linear", ("h_prev_1", "n0")), ("activation_tanh", ("n0",)), *LAST), (2, 3)
    )
    assert draft.needed() == [0, 2, 3]
    assert draft.given() == {"x", "h_prev_0"}
    assert draft.missing() == ["h_prev_1"]
    assert list(draft.recipe()) == ["n0", "h_new_0", "h_new_1"]


def test_a_draft_of_a_recipe_gives_the_recipe_back() -> None:
    lstm = reference_recipe("lstm")
    draft = RecipeDraft.of(lstm, 20)
    assert len(draft.nodes) == 20
    assert RecurrentGenotype.from_recipe(draft.recipe()).recipe_hash == lstm.recipe_hash


def test_where_no_node_can_read_a_state_without_losing_another_the_smallest_cell_stands_in() -> None:
    # with two inputs, n0 cannot read x and both states, and the outputs may read no state
    draft = RecipeDraft(
        (("linear", ("x", "h_prev_0")), ("activation_tanh", ("n0",)), ("activation_sigm", ("n0",)), *LAST), (1, 2)
    )
    assert mended(draft, 2).recipe() == {
        "n0": {"op": "linear", "input": ["h_prev_0", "x"]},
        "n1": {"op": "linear", "input": ["h_prev_1", "n0"]},
        "h_new_0": {"op": "linear", "input": ["x", "n1"]},
        "h_new_1": {"op": "linear", "input": ["x", "h_new_0"]},
    }
    assert mended(draft, 3).recipe()["n0"] == {"op": "linear", "input": ["x", "h_prev_0", "h_prev_1"]}
