"""Runs recipes by their Triton kernels under Triton's interpreter, and prints how far from float64 they are, as JSON.

    TRITON_INTERPRET=1 python -m tests.kernels.interpreted_recipes NAME [NAME ...]

A NAME is a seed of the generator, or one of `SPECIAL`. The interpreter is chosen when Triton is imported, so this is a
process of its own.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from functools import partial
from types import ModuleType

import torch
from torch import Tensor

from audionas.kernels import use_kernels
from audionas.kernels.recipe_plan import recipe_plan
from audionas.kernels.triton_recipe import can_run_on_card, fault, kernels_of
from audionas.models.recipe_cell import RecipeCell
from audionas.spaces.recipe_generator import generate_recipe
from audionas.spaces.recurrent_genotype import RecurrentGenotype
from tests.kernels.recipes import SPECIAL

N_INPUTS = 5


def case(name: str) -> tuple[RecurrentGenotype, int, int, int, str, bool, bool]:
    """Recipe, hidden, clips, frames, what is emitted, whether clips differ in length, whether they run backwards."""
    if name in SPECIAL:
        return SPECIAL[name], 20, 2, 3, "h0", True, False
    seed = int(name)
    n_states = 1 + seed % 3
    emit = "h0+h1" if n_states > 1 and seed % 2 else "h0"
    sizes = [16, 20, 32][seed % 3], [1, 3, 17][seed // 3 % 3], [1, 4, 5][seed // 2 % 3]
    return generate_recipe(seed, n_states, 8 + seed % 7), *sizes, emit, seed % 2 == 0, seed % 5 == 0


def apart(name: str) -> float:
    """The largest distance of outputs and of each gradient, relative to their size."""
    genotype, hidden, clips, frames, emit, differ, is_reversed = case(name)
    torch.manual_seed(len(name) + frames)
    cell = RecipeCell(genotype, N_INPUTS, hidden)
    x = torch.randn(clips, frames, N_INPUTS, requires_grad=True)
    assert can_run_on_card(x, list(cell.parameters()))
    lengths = torch.randint(1, frames + 1, (clips,)) if differ else None
    outputs = cell(x, lengths, emit, is_reversed=is_reversed)
    direction = torch.randn_like(outputs)
    (outputs * direction).sum().backward()
    exact = RecipeCell(genotype, N_INPUTS, hidden).double()
    exact.load_state_dict(cell.state_dict())
    x_exact = x.detach().double().requires_grad_()
    expected = exact._in_torch(lengths, emit, is_reversed, x_exact, *exact.biases, *exact.weights)
    (expected * direction).sum().backward()
    found, wanted = ([t.grad for t in (start, *of.parameters())] for start, of in ((x, cell), (x_exact, exact)))
    pairs = [(outputs, expected), *zip(found, wanted, strict=True)]
    return max(_distance(*pair) for pair in pairs)


def _distance(found: Tensor | None, wanted: Tensor | None) -> float:
    if found is None or wanted is None:
        both = [each for each in (found, wanted) if each is not None]
        return max((float(each.abs().max()) for each in both), default=0.0)
    distance = float((found.detach().double() - wanted.detach()).norm() / (wanted.norm() + 1e-3))
    return distance if distance == distance else float("inf")


def faults() -> dict[str, str]:
    """What the first use finds: of right kernels, where torch has other weights, of kernels that raise."""
    genotype = generate_recipe(1, 1, 8)
    cell, other = RecipeCell(genotype, N_INPUTS, 16), RecipeCell(genotype, N_INPUTS, 16)
    made = kernels_of(recipe_plan(tuple((node.name, node.op, node.inputs) for node in genotype.nodes), 1))
    plain = partial(cell._in_torch, None, "h0", False)
    given = (torch.randn(2, 4, N_INPUTS), list(cell.biases), list(cell.weights))

    def of_others(x: Tensor, *_: Tensor) -> Tensor:
        return plain(x, *other.biases, *other.weights)

    return {
        "right": fault(made, *given, plain),
        "other": fault(made, *given, of_others),
        "raises": fault(replace(made, module=ModuleType("empty")), *given, plain),
    }


def main() -> None:
    use_kernels("torch", print)
    names = sys.argv[1:]
    print(json.dumps(faults() if names == ["faults"] else {name: apart(name) for name in names}))


if __name__ == "__main__":
    main()
