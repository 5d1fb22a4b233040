"""A compiled network trains as a plain one, under the same names; one that cannot be compiled is told and trained."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from audionas.training import memory, surviving
from audionas.training.fit import FitPlan, fit
from audionas.training.recipe import Recipe
from audionas.training.tasks import TASKS
from tests.training.test_fit import batches, network


def trained(model: nn.Module, *, compiles: bool, epochs: int = 2, folder: Path | None = None) -> list[dict[str, float]]:
    recipe = Recipe(schedule="constant")
    plan = FitPlan(TASKS["classification"], recipe, epochs, 0, "test", folder=folder, checkpoint_every_s=0)
    return fit(model, batches, FitPlan(**{**vars(plan), "compiles": compiles}))


def difference(one: nn.Module, other: nn.Module) -> float:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return max(float((a - b).abs().max()) for a, b in pairs)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many operations each compiled graph had; the graphs are run as they are (inductor takes minutes here)."""
    torch._dynamo.reset()
    found: list[int] = []

    def backend(graph: Any, _: Any) -> Callable[..., Any]:
        found.append(len(graph.graph.nodes))
        return graph.forward  # type: ignore[no-any-return]

    monkeypatch.setattr(surviving, "BACKEND", backend)
    return found


def test_a_compiled_network_trains_as_a_plain_one_and_goes_on_as_one(calls: list[int], tmp_path: Path) -> None:
    plain, compiled, resumed = network(), network(), network()
    trained(plain, compiles=False, epochs=3)
    trained(compiled, compiles=True, epochs=2, folder=tmp_path)
    assert calls
    assert list(compiled.state_dict()) == list(plain.state_dict()), "no name has _orig_mod. in it"
    trained(resumed, compiles=False, epochs=3, folder=tmp_path)
    assert difference(plain, resumed) < 1e-6


def test_a_network_that_cannot_be_compiled_is_told_once_and_trained(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def backend(_: Any, __: Any) -> Callable[..., Any]:
        raise FileNotFoundError("no C++ compiler")

    torch._dynamo.reset()
    memory.tell_once.cache_clear()
    monkeypatch.setattr(surviving, "BACKEND", backend)
    plain, compiled = network(), network()
    trained(plain, compiles=False)
    with caplog.at_level(logging.WARNING, "audionas"):
        trained(compiled, compiles=True)
    assert difference(plain, compiled) == 0, "the failed try has left nothing behind"
    (line,) = (record.getMessage() for record in caplog.records if record.name.startswith("audionas"))
    assert line.startswith("--compile: the network cannot be compiled here (")
    assert "no C++ compiler" in line
    assert line.endswith("); trained without")


@pytest.mark.usefixtures("calls")
def test_an_error_of_the_network_is_not_hidden_by_compiling() -> None:
    class Wrong(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x[:, :, :, :5])

    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        trained(Wrong(2, 2), compiles=True)
