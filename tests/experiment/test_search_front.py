"""What a search with several objectives leaves besides its winner."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from audionas.experiment.search_front import write_front
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
