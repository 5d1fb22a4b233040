"""How far back a recurrent network looks, against the gradient of an output frame."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from audionas.models.recipe_cell import RecipeCell
from audionas.models.recipe_rnn import RecipeRnn
from audionas.models.recurrent_context import NOTHING, cell_frames_back, frames_back
from audionas.spaces import RecurrentGenotype, RecurrentMacro, load_search_space
from audionas.spaces.reference_recipes import REFERENCE_RECIPES, reference_recipe

N_FRAMES = 12


def node(op: str, *inputs: str) -> dict[str, object]:
    return {"op": op, "input": list(inputs)}


# No loop: the second state holds the last frame's input for one frame only.
DELAY = {"h_new_1": node("linear", "x"), "h_new_0": node("linear", "x", "h_prev_1")}
TWO_DELAYS = {
    "h_new_2": node("linear", "x"),
    "h_new_1": node("linear", "h_prev_2"),
    "h_new_0": node("linear", "h_prev_1"),
}
NO_MEMORY = {"h_new_0": node("linear", "x"), "h_new_1": node("linear", "h_prev_0", "x")}
BLIND = {"h_new_0": node("linear", "h_prev_0"), "h_new_1": node("linear", "x")}
SWAPPED = {"h_new_0": node("linear", "h_prev_1"), "h_new_1": node("linear", "x", "h_prev_0")}


def genotype_of(recipe: dict[str, dict[str, object]], **macro: object) -> RecurrentGenotype:
    return RecurrentGenotype.from_recipe(recipe).within(RecurrentMacro(bidirectional=False, hidden=3, **macro))


def back_by_gradient(genotype: RecurrentGenotype) -> int:
    """The farthest frame before the last one on which the last output depends; -1: none at all."""
    torch.manual_seed(0)
    macro = genotype.macro
    rnn = RecipeRnn(genotype, 2, macro.hidden, macro.n_layers, emit=macro.emit).double()
    x = torch.rand(1, N_FRAMES, 2, dtype=torch.float64, requires_grad=True)
    rnn(x)[0, -1].sum().backward()
    assert x.grad is not None
    read = np.flatnonzero(np.asarray(x.grad[0].abs().sum(dim=1) > 0))
    return N_FRAMES - 1 - int(read[0]) if len(read) else NOTHING


@pytest.mark.parametrize("recipe", REFERENCE_RECIPES)
def test_the_well_known_cells_remember_everything(recipe: str) -> None:
    assert frames_back(reference_recipe(recipe)) is None


@pytest.mark.parametrize(
    ("recipe", "macro", "frames"),
    [
        (DELAY, {}, 1), (DELAY, {"n_layers": 3}, 3), (TWO_DELAYS, {}, 2), (TWO_DELAYS, {"n_layers": 2}, 4),
        (NO_MEMORY, {}, 0), (NO_MEMORY, {"emit": "h0+h1"}, 1), (BLIND, {}, NOTHING), (BLIND, {"n_layers": 2}, NOTHING),
        (BLIND, {"emit": "h0+h1"}, 0),
    ],
)  # fmt: skip
def test_a_memory_that_ends_is_counted(recipe: dict, macro: dict, frames: int) -> None:
    genotype = genotype_of(recipe, **macro)
    assert frames_back(genotype) == frames == back_by_gradient(genotype)


def test_states_that_swap_remember_everything() -> None:
    genotype = genotype_of(SWAPPED)
    assert frames_back(genotype) is None
    assert back_by_gradient(genotype) == N_FRAMES - 1  # h0 of frame t reads x of t - 1, t - 3, ...: 11 of 11


@pytest.mark.parametrize("seed", range(8))
def test_random_recipes_look_as_far_back_as_their_gradient(seed: int) -> None:
    """From states that are not 0, where a product of states would stay 0 for ever; of few frames, as it vanishes."""
    torch.manual_seed(seed)
    n_frames = 6
    genotype = load_search_space("nas_bench_nlp_rnn").random(np.random.default_rng(seed))
    cell = RecipeCell(genotype, 2, 3).double()
    x = torch.rand(n_frames, 1, 2, dtype=torch.float64, requires_grad=True)
    states = [torch.rand(1, 3, dtype=torch.float64) for _ in range(genotype.n_states)]
    for frame in x:
        states = cell.step(frame, states, list(cell.weights))
    states[0].sum().backward()
    assert x.grad is not None
    read = np.flatnonzero(np.asarray(x.grad.abs().sum(dim=(1, 2)) > 0))
    found = n_frames - 1 - int(read[0]) if len(read) else NOTHING
    counted = cell_frames_back(genotype)
    # A memory without an end may skip frames where states are swapped, by as many as there are states.
    assert counted == found if counted is not None else found >= n_frames - genotype.n_states
