"""ENAS on a toy corpus: who learns in which step, what the reward is, and that the best of the draws is the result."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from audionas.search.algorithms import path_draws
from audionas.search.nni_quiet import import_nni
from audionas.search.run import run_search
from audionas.search.strategy import Strategy, load_strategy
from audionas.spaces import SearchSpace, load_search_space
from tests.conformance.test_pairs import small, toy_evaluator

import_nni()
nni_enas = pytest.importorskip("audionas.search.nni_enas")


def asked(**settings: Any) -> Strategy:
    found = load_strategy("enas").with_budget(epochs=2, trials=None)
    return found.replace(settings=found.settings | {"samples": 4} | settings, batch_size=12)


@pytest.fixture(params=["darts_cnn_small", "darts_rnn"])
def space(request: pytest.FixtureRequest) -> SearchSpace:
    return small(load_search_space(request.param))


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Of every step: its part, and the names of the parameters that it changed."""
    found: list[dict[str, Any]] = []
    step = nni_enas.EnasModule.training_step

    def watched(self: Any, batch: Any, batch_idx: int) -> Any:
        before = {name: each.detach().clone() for name, each in self.named_parameters()}
        buffers = {name: each.clone() for name, each in self.supernet.named_buffers()}
        loss = step(self, batch, batch_idx)
        changed = {name for name, each in self.named_parameters() if not torch.equal(before[name], each)}
        moved = {name for name, each in self.supernet.named_buffers() if not torch.equal(buffers[name], each)}
        found.append({"part": batch[1], "changed": changed, "statistics": moved})
        return loss

    monkeypatch.setattr(nni_enas.EnasModule, "training_step", watched)
    return found


def test_an_epoch_trains_the_weights_of_paths_then_the_controller_alone(
    space: SearchSpace, steps: list[dict[str, Any]], tmp_path: Path
) -> None:
    run_search(space, asked(), toy_evaluator(), seed=0, run=tmp_path)
    assert [step["part"] for step in steps] == 2 * ["weights", "alphas"], "12 clips a part are one batch"
    for step in steps:
        is_controller = {name.startswith("controller.") for name in step["changed"]}
        assert is_controller == {step["part"] == "alphas"}
        if step["part"] == "alphas":
            assert not step["statistics"]


def test_the_best_draw_of_the_controller_is_the_result_and_the_log_has_all(space: SearchSpace, tmp_path: Path) -> None:
    found = run_search(space, asked(), toy_evaluator(), seed=0, run=tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "evolution.jsonl").read_text().splitlines()]
    paths, chosen = lines[:-1], lines[-1]["chosen"]
    best = min(paths, key=lambda line: (-line["ua"], line["loss"], line["number"]))
    assert chosen["hash"] == best["hash"] == found.genotype.hash
    assert {line["generation"] for line in paths} == {0}
    draw = path_draws("enas", tmp_path, space)
    assert draw is not None
    drawable = {space.genotype(draw(np.random.default_rng(seed))).hash for seed in range(3)}
    assert len(paths) == 4
    assert len(drawable) > 1
    assert path_draws("random_one_shot", tmp_path, space) is None


def test_the_reward_is_the_inverse_perplexity_of_the_batch() -> None:
    class Fixed:
        def score_loss(self, batch: Any) -> torch.Tensor:
            return torch.tensor(batch)

        def record(self, name: str, loss: torch.Tensor) -> None:
            assert name == "alphas"

    class Bare(nni_enas.EnasModule):
        training_module, supernet = Fixed(), torch.nn.Identity()

        def take_path(self, sample: dict[str, str]) -> None:
            assert sample == {"a": "x"}

    module = Bare.__new__(Bare)
    assert nni_enas.EnasModule.reward(module, math.log(4.0), {"a": "x"}) == pytest.approx(1 / 4)
    assert nni_enas.EnasModule.reward(module, math.inf, {"a": "x"}) == 0
    assert nni_enas.EnasModule.reward(module, math.nan, {"a": "x"}) == 0


def test_the_two_parts_come_one_after_the_other_with_their_names() -> None:
    batches = nni_enas.PartAfterPart(["w0", "w1"], ["a0"])
    assert list(batches) == [("w0", "weights"), ("w1", "weights"), ("a0", "alphas")]
    assert len(batches) == 3
