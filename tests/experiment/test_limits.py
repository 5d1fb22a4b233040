"""Whole searches under hard limits: what is found is within them, what is impossible writes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from audionas.errors import SettingsError
from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.search import SearchRequest, resume, search
from audionas.models import build_model, n_parameters
from audionas.models.macs import n_macs
from audionas.search.limits import Limits
from audionas.spaces import load_search_space
from audionas.spaces.genotype_file import load_genotype

Request = Callable[..., SearchRequest]


@pytest.fixture
def request_for(tiny_corpus: Path, tiny_space: Path, tmp_path: Path) -> Request:
    def make(**changes: Any) -> SearchRequest:
        fields: dict[str, Any] = {
            "data": tiny_corpus, "space": str(tiny_space), "epochs": 2, "threads": 1, "out": tmp_path / "run",
            "preparation": PrepareOptions(group_from="^(s[0-9])", folds="3"),
        }  # fmt: skip
        return SearchRequest(**(fields | changes))

    return make


def built(genotype: Any) -> Any:
    return build_model(genotype, input_shape=(1, 8, 8), n_classes=2)


def smallest_of(space_file: Path) -> int:
    """The parameters of the smallest network: pooling everywhere has no weights."""
    space = load_search_space(space_file)
    cell = (("max_pool_3x3", 0), ("max_pool_3x3", 1))
    return n_parameters(built(space.make(cell, cell)))


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def large_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Alphas begin with a liking for separable convolutions, so that the unlimited result is a large network."""
    from audionas.models import cnn_supernet

    begin = cnn_supernet.CnnSupernet.__init__

    def lean(self: Any, *words: Any, **more: Any) -> None:
        begin(self, *words, **more)
        for kind in ("normal", "reduce"):
            self.alphas(kind).data += 0.5 * torch.tensor([op == "sep_conv_3x3" for op in self.space.ops])

    monkeypatch.setattr(cnn_supernet.CnnSupernet, "__init__", lean)


@pytest.mark.usefixtures("large_first")
def test_a_one_shot_search_ends_within_a_limit_that_its_unlimited_result_exceeds(
    request_for: Request, tiny_space: Path, tmp_path: Path
) -> None:
    free = n_parameters(built(load_genotype(search(request_for(out=tmp_path / "free")) / "genotype.json")))
    least = smallest_of(tiny_space)
    limit = (free + least) // 2
    assert least < limit < free
    run = search(request_for(limits=Limits(max_parameters=limit)))
    found = load_genotype(run / "genotype.json")
    assert n_parameters(built(found)) <= limit
    record = json.loads((run / "run.json").read_text())
    assert record["limits"] == {"max_parameters": limit}
    assert record["network_costs"]["parameters"] == n_parameters(built(found))
    macs_per_second = n_macs(built(found), (1, 8, 8)) / record["features"]["length_s"]
    assert record["network_costs"]["macs_per_second"] == pytest.approx(macs_per_second)
    for line in _lines(run / "epochs.jsonl"):  # the alphas are those of the unlimited search
        assert line["parameters"] <= limit < line["unlimited"]["parameters"]
    alphas = [_lines(folder / "epochs.jsonl")[-1]["alphas"] for folder in (run, tmp_path / "free")]
    assert alphas[0] == alphas[1]


def test_a_search_by_trials_never_trains_a_candidate_over_the_limit(
    request_for: Request, tiny_space: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audionas.search.evaluator import TrainingEvaluator

    trained: list[int] = []
    evaluate = TrainingEvaluator.evaluate

    def spy(self: Any, genotype: Any, **more: Any) -> Any:
        trained.append(n_parameters(built(genotype)))
        return evaluate(self, genotype, **more)

    monkeypatch.setattr(TrainingEvaluator, "evaluate", spy)
    limit = smallest_of(tiny_space) + 20
    run = search(request_for(strategy="random", trials=3, epochs=1, retest=0, limits=Limits(max_parameters=limit)))
    assert len(trained) == 3
    assert max(trained) <= limit
    refused = [line for line in _lines(run / "trials.jsonl") if line["event"] == "refused"]
    assert refused
    space = load_search_space(tiny_space)
    for line in refused:
        size = n_parameters(built(space.genotype(line["sample"])))
        assert size > limit
        assert line["reason"] == f"parameters {size:,} > {limit:,}"
    record = json.loads((run / "run.json").read_text())
    assert record["refused"] == len(refused)
    assert n_parameters(built(load_genotype(run / "genotype.json"))) <= limit


@pytest.mark.parametrize("strategy", ["darts", "random"])
def test_an_impossible_limit_is_refused_with_the_smallest_size_and_nothing_is_written(
    request_for: Request, tiny_space: Path, tmp_path: Path, strategy: str
) -> None:
    least = smallest_of(tiny_space)
    words = (
        f"^--max-parameters {least - 1}: no network of space 'tiny' is that small; the smallest has {least} parameters"
    )
    with pytest.raises(SettingsError, match=words):
        search(request_for(strategy=strategy, limits=Limits(max_parameters=least - 1)))
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("large_first")
def test_a_search_that_is_resumed_keeps_its_limits(
    request_for: Request, tiny_space: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audionas.search import epoch_log

    limit = smallest_of(tiny_space) + 20
    record = epoch_log.append_jsonl

    def stop_after_one(path: Path, line: dict[str, Any]) -> None:
        if line.get("epoch") == 1:
            raise KeyboardInterrupt
        record(path, line)

    monkeypatch.setattr(epoch_log, "append_jsonl", stop_after_one)
    with pytest.raises(KeyboardInterrupt):
        search(request_for(limits=Limits(max_parameters=limit)))
    monkeypatch.setattr(epoch_log, "append_jsonl", record)
    run = resume(request_for().out or Path())
    assert [line["parameters"] <= limit for line in _lines(run / "epochs.jsonl")] == [True, True]
    assert n_parameters(built(load_genotype(run / "genotype.json"))) <= limit


def test_a_search_is_steered_only_where_a_cost_is_limited(request_for: Request, tmp_path: Path) -> None:
    strategy = tmp_path / "steered.yaml"
    strategy.write_text("algorithm: darts\nparts: {weights: 0.5, alphas: 0.5}\ncost_weight: 0.5\n")
    with pytest.raises(SettingsError, match="cost_weight steers by the costs that are limited; give --max-parameters"):
        search(request_for(strategy=str(strategy), limits=Limits(max_latency_ms=1e9)))
    with pytest.raises(SettingsError, match="algorithm 'darts' cannot search space"):
        search(request_for(strategy=str(strategy), space="nas_bench_nlp_rnn", limits=Limits(max_parameters=10**9)))


def test_a_steered_search_expects_smaller_networks(request_for: Request, tmp_path: Path) -> None:
    limit, expected = 10**6, {}
    for name, weight in (("plain", ""), ("steered", f"cost_weight: {10**6}\n")):
        strategy = tmp_path / f"{name}.yaml"
        rates = "settings: {arc_learning_rate: 0.1}\n"
        strategy.write_text(f"algorithm: darts\nparts: {{weights: 0.5, alphas: 0.5}}\n{rates}{weight}")
        run = search(request_for(strategy=str(strategy), out=tmp_path / name, limits=Limits(max_parameters=limit)))
        last = _lines(run / "epochs.jsonl")[-1]
        column = last["ops"].index("sep_conv_3x3")
        expected[name] = [row[column] for kind in ("normal", "reduce") for row in last["alphas"][kind]]
    assert max(expected["steered"]) < 0 < max(expected["plain"]), "the largest operation is pressed down on every edge"
