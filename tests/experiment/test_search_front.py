"""What a search with several objectives leaves besides its winner."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from audionas.experiment.retrain import RetrainRequest, retrain
from audionas.experiment.search import SearchRequest, search
from audionas.experiment.search_front import write_front
from audionas.experiment.verify import verify
from audionas.search.run import run_search
from audionas.search.strategy import Strategy, strategy_from_settings
from audionas.search.trials import TrialLog
from audionas.spaces import load_search_space
from audionas.spaces.genotype_file import load_genotype
from tests.search.told import Told

SPACE = load_search_space("darts_cnn_small")


def strategy(algorithm: str) -> Strategy:
    return strategy_from_settings(
        {"algorithm": algorithm, "parts": {"train": 0.75, "validation": 0.25}, "objective": "ua", "retest": 0,
         "budget": {"trials": 12, "epochs": 1}}, "mine", "mine.yaml"
    )  # fmt: skip


@pytest.mark.parametrize("algorithm", ["nsga2", "random"])
def test_the_front_is_left_as_genotypes_with_their_objectives_and_provenance(
    tmp_path: Path, algorithm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)
    which = strategy(algorithm)
    found = run_search(SPACE, which, Told(), seed=0, run=tmp_path)  # type: ignore[arg-type]
    run: Any = SimpleNamespace(path=tmp_path)
    (tmp_path / "front").mkdir()
    (tmp_path / "front" / "99.json").write_text("of a search that was killed")
    write_front(run, SPACE, which, found, lambda each: {"epoch_or_trial": each.epoch_or_trial})
    if algorithm == "random":
        assert not (tmp_path / "front.json").exists()
        return
    document = json.loads((tmp_path / "front.json").read_text())
    points = document["points"]
    assert sorted(path.name for path in (tmp_path / "front").iterdir()) == [
        f"{k}.json" for k in range(1, len(points) + 1)
    ]
    assert [point["ua"] for point in points] == sorted((point["ua"] for point in points), reverse=True)
    sizes = [point["parameters"] for point in points]
    assert sizes == sorted(sizes, reverse=True), "of two on the front the better is the larger"
    trials = TrialLog(tmp_path / "trials.jsonl").finished
    for point in points:
        assert load_genotype(tmp_path / point["file"]).hash == point["hash"] == trials[point["trial"]].hash
        assert json.loads((tmp_path / point["file"]).read_text())["provenance"] == {"epoch_or_trial": point["trial"]}
    assert found.genotype.hash == points[0]["hash"], "the winner by the objective alone is on the front"


@pytest.mark.slow
def test_a_genotype_of_the_front_knows_its_run_and_a_changed_front_is_found(
    request_for: Callable[..., SearchRequest], tmp_path: Path
) -> None:
    strategy_file = tmp_path / "front.yaml"
    strategy_file.write_text(
        "algorithm: nsga2\nparts: {train: 0.5, validation: 0.5}\nretest: 0\nsettings: {population: 4}\n"
        "budget: {trials: 6, epochs: 1}\nbatch_size: 4\n"
    )
    run = search(request_for(strategy=str(strategy_file), epochs=1))
    first = run / "front" / "1.json"
    retrained = retrain(RetrainRequest(sources=(first,), epochs=1, seeds=1, out=tmp_path / "retrained", threads=1))
    record = json.loads((retrained / "run.json").read_text())
    assert record["search_cost"]["clip_passes"] == json.loads((run / "run.json").read_text())["cost"]["clip_passes"]
    assert verify(run).mismatches == []
    document = json.loads((run / "front.json").read_text())
    document["points"][0]["parameters"] += 1
    (run / "front.json").write_text(json.dumps(document))
    assert [(each.file, each.key) for each in verify(run).mismatches] == [("./front.json", "points[0].parameters")]
