"""A node's Triton kernels: right under Triton's interpreter against float64, and compiled for a card."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
import torch

from audionas.errors import SettingsError
from audionas.kernels import tell_of_kernels, triton_use
from tests.gpu import needs_gpu
from tests.kernels.compiled_for_card import compiled_kernels
from tests.kernels.test_triton_recipe import needs_triton

BOUNDS = {"sum": 1e-6, "moments": 1e-6, "gradients": 1e-6, "one gradient": 1e-6}
CPU = torch.device("cpu")


def interpreted(module: str, *names: str) -> dict[str, Any]:
    command = [sys.executable, "-m", f"tests.kernels.{module}", *names]
    environment = {**os.environ, "TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


@needs_triton
def test_sums_moments_and_gradients_are_those_of_torch_in_float64() -> None:
    names = "two", "eight", "nine", "many", "long"
    found = interpreted("interpreted_mixed_sums", *names, "one", "bfloat16")
    assert found.pop("fault") == ""
    rounded = found.pop("bfloat16")  # terms and results have 8 bits; moments do not
    assert rounded["moments"] < 1e-6
    assert max(rounded.values()) < 5e-3
    of_two_values = found.pop("one")  # +1 and -1 after BN, whatever they were: the gradient is what rounding leaves
    assert max(of_two_values["sum"], of_two_values["moments"]) < 1e-6
    assert of_two_values["gradients"] < 1e-2
    assert found.keys() == set(names)
    assert all(value < BOUNDS[what] for case in found.values() for what, value in case.items()), found


@needs_triton
@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_the_kernels_compile_for_a_card(dtype: str) -> None:
    """For compute capability 9.0, by the compiler that Triton brings; nothing spills into local memory."""
    tables = ("factors", "means", "before", "of_gradient", "of_term", "alone")
    types = {"": f"*{dtype}", **dict.fromkeys(tables, "*fp32")}
    numbers = (*(f"s{k}" for k in range(8)), "n_channels", "n_places", "n_pieces", "span")
    reductions = {name: {"BLOCK": 1024} for name in ("moments", "gradient_sums")}
    module = "audionas.kernels.triton_mixed_sum_source"
    made = compiled_kernels(module, {**types, "out": "*fp32"}, numbers, reductions)
    made |= compiled_kernels(
        module, types, numbers, {"weighted_sum": {"BLOCK": 1024, "IS_FIRST": False}, "term_gradients": {"BLOCK": 1024}}
    )
    assert made.keys() == {"moments", "gradient_sums", "weighted_sum", "term_gradients"}
    assert not any("local" in text for text in made.values())


def test_a_kernel_that_is_wrong_is_not_taken_and_that_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    monkeypatch.setattr(triton_use, "_found", {})
    monkeypatch.setattr(triton_use, "_missing", lambda _: "")
    said: list[str] = []
    tell_of_kernels(said.append)

    def broken(_: torch.device) -> str:
        raise ValueError("ptxas fatal\nmore")

    assert [triton_use.serves(CPU, "sums", broken) for _ in range(3)] == [False] * 3
    assert not triton_use.serves(CPU, "others", lambda _: "they are off by 1")
    assert triton_use.serves(CPU, "right ones", lambda _: "")
    assert said == [
        "sums: Triton's kernels are not taken (ptxas fatal); plain torch is, which is slower",
        "others: Triton's kernels are not taken (they are off by 1); plain torch is, which is slower",
    ]


def test_the_variable_turns_them_off_or_asks_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    monkeypatch.setattr(triton_use, "_found", {})
    monkeypatch.setattr(triton_use, "_missing", lambda _: "Triton is not installed")
    monkeypatch.setenv("AUDIONAS_KERNELS", "torch")
    assert not triton_use.serves(CPU, "sums", lambda _: "")
    monkeypatch.setenv("AUDIONAS_KERNELS", "triton")
    with pytest.raises(SettingsError, match=r"=triton: kernels of sums do not run here \(Triton is not"):
        triton_use.serves(CPU, "sums", lambda _: "")


def test_without_the_interpreter_a_cpu_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    assert not triton_use.serves(CPU, "sums", lambda _: "")


@pytest.mark.gpu
@needs_gpu
def test_on_a_card_they_agree_with_torch() -> None:
    from audionas.kernels.triton_mixed_sum import _fault

    assert _fault(torch.device("cuda")) == ""
