"""Triton kernels of recipes: right under Triton's interpreter, made of numbers alone, and checked on a card."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from audionas.kernels.recipe_plan import recipe_plan
from audionas.kernels.recipe_program import Program
from audionas.kernels.triton_recipe import can_run_on_card, kernels_of
from audionas.kernels.triton_recipe_source import RecipeKernels
from audionas.models.recipe_cell import RecipeCell
from audionas.spaces.recipe_generator import generate_recipe
from tests.kernels.recipes import SPECIAL

needs_triton = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="no triton (Linux on x86-64 has it)"
)
SEEDS = ["3", "5", "6", "8", "10", "11"]


def interpreted(*names: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.kernels.interpreted_recipes", *names]
    environment = {**os.environ, "TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


@needs_triton
@pytest.mark.slow
@pytest.mark.parametrize("names", [SEEDS[:3], SEEDS[3:], list(SPECIAL)[:6], list(SPECIAL)[6:]], ids=str)
def test_outputs_and_gradients_are_those_of_the_plain_path_in_float64(names: list[str]) -> None:
    found = interpreted(*names)
    assert found.keys() == set(names)
    assert max(found.values()) < 1e-5, found


@needs_triton
def test_the_first_use_finds_wrong_kernels() -> None:
    found = interpreted("faults")
    assert found["right"] == ""
    assert found["other"].startswith("they are off by ")
    assert found["raises"] == "module 'empty' has no attribute 'forward'"


def test_names_of_nodes_do_not_enter_the_text() -> None:
    recipe = (
        ("__import__", "linear", ("x", "h_prev_0")),
        ("os.system", "activation_tanh", ("__import__",)),
        ("h_new_0", "elementwise_sum", ("os.system", "h_prev_0")),
    )
    text = RecipeKernels(Program(recipe), 1).text
    assert "import__" not in text.replace("import triton", "")
    assert "os." not in text
    renamed = tuple(
        (n.replace("os.system", "b"), op, tuple(i.replace("os.system", "b") for i in given)) for n, op, given in recipe
    )
    assert RecipeKernels(Program(renamed), 1).text == text


@needs_triton
def test_a_changed_file_in_the_cache_is_written_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIONAS_CACHE", str(tmp_path))
    genotype = generate_recipe(2, 1, 8)
    plan = recipe_plan(tuple((node.name, node.op, node.inputs) for node in genotype.nodes), 1)
    kernels_of.cache_clear()
    made = kernels_of(plan)
    file = Path(str(made.module.__file__))
    assert tmp_path in file.parents
    file.write_text("raise SystemExit('foreign')\n")
    kernels_of.cache_clear()
    assert kernels_of(plan).numbers.text == file.read_text()
    kernels_of.cache_clear()


def test_nothing_of_it_is_taken_on_a_cpu() -> None:
    cell = RecipeCell(generate_recipe(0, 1, 8), 5, 16)
    assert not can_run_on_card(torch.randn(2, 3, 5), list(cell.parameters()))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("split", ["1", "4"])
@pytest.mark.parametrize("seed", range(6))
def test_a_card_gives_what_the_processor_gives(seed: int, split: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIONAS_RECIPE_SPLIT", split)
    genotype = generate_recipe(seed, 2, 14)
    torch.manual_seed(seed)
    cell = RecipeCell(genotype, 64, 256)
    x, lengths = torch.randn(32, 50, 64), torch.randint(1, 51, (32,))
    ends = []
    for device in ("cpu", "cuda"):
        cell.zero_grad()
        cell.to(device)
        outputs = cell(x.to(device), lengths.to(device))
        outputs.square().sum().backward()
        ends.append([each.detach().cpu() for each in (outputs, *(p.grad for p in cell.parameters()))])  # type: ignore[union-attr]
    for expected, found in zip(*ends, strict=True):
        assert float((found - expected).norm() / (expected.norm() + 1e-6)) < 5e-3
