"""Recipes for the tests of the compiled path, and both paths side by side: one cell, the same weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from audionas.models import recipe_cell
from audionas.models.recipe_cell import RecipeCell
from audionas.spaces.recipe_generator import generate_recipe
from audionas.spaces.recurrent_genotype import RecurrentGenotype
from tests.reference.plain_recipe import PlainRecipe


def recipe(**nodes: str) -> RecurrentGenotype:
    """`name="op source source"` for each node."""
    document = {name: {"op": text.split()[0], "input": text.split()[1:]} for name, text in nodes.items()}
    return RecurrentGenotype.from_recipe(document)


# What the generator never draws.
SPECIAL = {
    "a linear node is the state": recipe(h_new_0="linear x h_prev_0"),
    "a linear node reads a linear node": recipe(
        a="linear x h_prev_0", b="linear a h_prev_0", c="elementwise_prod a b", h_new_0="activation_tanh c"
    ),
    "a linear node reads the same twice": recipe(a="linear x x h_prev_0 h_prev_0", h_new_0="activation_sigm a"),
    "a linear node reads the new state": recipe(
        a="linear x h_prev_0 h_prev_1", h_new_0="activation_tanh a", b="linear h_new_0", h_new_1="activation_sigm b"
    ),
    "sums and products of four": recipe(
        a="linear x",
        b="linear h_prev_0",
        c="activation_sigm a",
        d="elementwise_sum a b c h_prev_0",
        e="elementwise_prod a b c d",
        h_new_0="activation_tanh e",
    ),
    "a product with itself": recipe(a="linear x h_prev_0", b="elementwise_prod a a", h_new_0="activation_tanh b"),
    "a blend of one": recipe(a="linear x h_prev_0", b="activation_sigm a", h_new_0="blend b b b"),
    "a node that nothing reads": recipe(
        a="linear x h_prev_0", b="linear x a", c="activation_tanh b", h_new_0="activation_tanh a"
    ),
    "a state that nothing reads": recipe(
        a="linear x h_prev_0", h_new_0="activation_tanh a", h_new_1="activation_sigm a"
    ),
    "no linear node but of x": recipe(a="linear x", h_new_0="blend a h_prev_0 a"),
}


@dataclass(frozen=True)
class Case:
    """A cell, its input and how to run it."""

    cell: RecipeCell
    x: Tensor
    lengths: Tensor | None = None
    emit: str = "h0"
    is_reversed: bool = False

    def compiled(self) -> Tensor:
        return self.cell(self.x, self.lengths, self.emit, is_reversed=self.is_reversed)  # type: ignore[no-any-return]

    def plain(self) -> Tensor:
        run = PlainRecipe(self.cell, recipe_cell.EMITS.index(self.emit) + 1)
        if not self.is_reversed:
            return run(self.x, self.lengths)  # type: ignore[no-any-return]
        lengths = [self.x.shape[1]] * len(self.x) if self.lengths is None else self.lengths.tolist()
        rows = []
        for clip, n in zip(self.x, lengths, strict=True):
            own = run(clip[None, :n].flip(1)).flip(1)
            rows.append(torch.nn.functional.pad(own, (0, 0, 0, self.x.shape[1] - n)))
        return torch.cat(rows)


def random_case(seed: int, dtype: torch.dtype = torch.float64) -> Case:
    """A recipe of the generator with odd widths, one to three states, and often clips of several lengths."""
    rng = torch.Generator().manual_seed(seed)

    def draw(*choices: Any) -> Any:
        return choices[int(torch.randint(len(choices), (1,), generator=rng))]

    n_states = draw(1, 2, 2, 3)
    n_clips, n_frames, n_inputs, hidden = draw(1, 3, 17), draw(1, 4, 13), draw(2, 9), draw(1, 5, 16, 37)
    torch.manual_seed(seed)
    cell = RecipeCell(generate_recipe(seed, n_states, draw(7, 14, 21)), n_inputs, hidden).to(dtype)
    x = torch.randn(n_clips, n_frames, n_inputs, dtype=dtype, requires_grad=True)
    lengths = torch.randint(1, n_frames + 1, (n_clips,), generator=rng) if draw(True, False) else None
    emit = draw("h0", "h0+h1") if n_states > 1 else "h0"
    return Case(cell, x, lengths, emit, draw(True, False))


def gradients(case: Case, run: Callable[[], Tensor]) -> list[Tensor]:
    """The outputs, and the gradients of x and of all parameters for one random weighting of the outputs."""
    outputs = run()
    weighting = torch.randn(outputs.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    wanted = [case.x, *case.cell.parameters()]
    found = torch.autograd.grad((outputs * weighting.to(outputs.dtype)).sum(), wanted, allow_unused=True)
    return [outputs.detach(), *(_or_zeros(g, like) for g, like in zip(found, wanted, strict=True))]


def _or_zeros(gradient: Tensor | None, like: Tensor) -> Tensor:
    return torch.zeros_like(like) if gradient is None else gradient


def furthest(ours: list[Tensor], theirs: list[Tensor]) -> float:
    """The largest difference, each as a part of the largest number of its tensor."""
    return max(float((a - b).abs().max() / b.abs().max().clamp_min(1e-30)) for a, b in zip(ours, theirs, strict=True))
