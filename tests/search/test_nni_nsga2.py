"""NSGA-II as a whole search: budget, determinism, replay, costs, and that it moves towards the front."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audionas.errors import SettingsError
from audionas.search.algorithms.nsga2 import asked
from audionas.search.front import front
from audionas.search.run import run_search
from audionas.search.strategy import Strategy, strategy_from_settings
from audionas.search.trials import Trial, TrialLog
from audionas.spaces import Genotype, load_search_space
from tests.search.told import Told

SPACE = load_search_space("darts_cnn_small")


@pytest.fixture(autouse=True)
def _no_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)  # nobody kills the machine in a test


def strategy(trials: int = 24, algorithm: str = "nsga2", **settings: Any) -> Strategy:
    own = {"population": 6, **settings} if algorithm == "nsga2" else {}
    return strategy_from_settings(
        {"algorithm": algorithm, "parts": {"train": 0.75, "validation": 0.25}, "objective": "ua", "retest": 0,
         "budget": {"trials": trials, "epochs": 2}, "settings": own}, "mine", "mine.yaml"
    )  # fmt: skip


def search(told: Any, run: Path, which: Strategy, seed: int = 0) -> list[Trial]:
    run_search(SPACE, which, told, seed=seed, run=run)
    return TrialLog(run / "trials.jsonl").ranked("ua")


def test_the_budget_is_spent_on_different_architectures(tmp_path: Path) -> None:
    told = Told()
    search(told, tmp_path, strategy())
    assert len({genotype_hash for genotype_hash, *_ in told.seen}) == len(told.seen) == 24


def test_the_seed_fixes_the_sequence_and_a_killed_search_goes_on_with_it(tmp_path: Path) -> None:
    whole, other = Told(), Told()
    search(whole, tmp_path / "whole", strategy())
    search(other, tmp_path / "other", strategy(), seed=1)
    assert other.seen != whole.seen
    for kill_at in (5, 6, 13):
        path, rest = tmp_path / str(kill_at), Told()
        with pytest.raises(KeyboardInterrupt):
            search(Told(kill_at), path, strategy())
        search(rest, path, strategy())
        assert rest.seen == whole.seen[kill_at:]


class Counted(Told):
    """UA grows with the separable convolutions of the cells, parameters with the sizes of all kernels."""

    def evaluate(self, genotype: Genotype, *, epochs: int, seed: int, fraction: float = 1.0) -> Any:
        from audionas.search.evaluator import Score

        ops = [op for op, _ in (*genotype.normal, *genotype.reduce)]  # type: ignore[union-attr]
        ua = sum("sep" in op for op in ops) / len(ops)
        size = sum(int(op[-1]) if op[-1].isdigit() else 0 for op in ops)
        return Score(ua, ua, 1 - ua, 1 - ua, size, 0.1, 0)


def volume(trials: list[Trial]) -> float:
    """Area that the front dominates, up to the corner (UA 0, 41 parameters)."""
    points = sorted((t.score.parameters, t.score.ua) for t in trials if t.score)
    best, area = 0.0, 0.0
    for (size, ua), following in pairwise([*points, (41, 0.0)]):
        best = max(best, ua)
        area += best * (following[0] - size)
    return area


@pytest.mark.slow
def test_it_dominates_more_than_random_search_at_equal_cost(tmp_path: Path) -> None:
    areas = {
        name: [volume(search(Counted(), tmp_path / f"{name}{seed}", strategy(60, name), seed)) for seed in range(2)]
        for name in ("nsga2", "random")
    }
    assert min(areas["nsga2"]) > max(areas["random"])


def test_the_front_are_the_trials_that_no_other_beats(tmp_path: Path) -> None:
    ranked = search(Told(), tmp_path, strategy())
    found = {trial.number for trial in front(ranked, "ua", ("parameters",))}
    points = {t.number: (t.score.ua, t.score.parameters) for t in ranked if t.score}
    for number, (ua, size) in points.items():
        beaten = any(a >= ua and b <= size and (a, b) != (ua, size) for a, b in points.values())
        assert (number in found) is not beaten
    assert len(found) > 1


def test_costs_that_a_score_holds_are_objectives(tmp_path: Path) -> None:
    class Flat(Told):
        def evaluate(self, genotype: Genotype, *, epochs: int, seed: int, fraction: float = 1.0) -> Any:
            from dataclasses import replace

            score = super().evaluate(genotype, epochs=epochs, seed=seed, fraction=fraction)
            return replace(score, costs={"macs_per_second": float(np.float32(1 - score.ua))})

    ranked = search(Flat(), tmp_path, strategy(12, parameters=False, macs_per_second=True))
    assert [trial.number for trial in front(ranked, "ua", ("macs_per_second",))] == [ranked[0].number]
    with pytest.raises(SettingsError, match=r"settings.macs_per_second: this evaluator does not measure it"):
        search(Told(), tmp_path / "none", strategy(12, macs_per_second=True))


@pytest.mark.parametrize(
    "settings,match",
    [
        ({"population": 5}, "settings.population: got 5, must be an even number from 4 to 1000"),
        ({"crossover": 1.5}, "settings.crossover: got 1.5, must be from 0 to 1"),
        ({"parameters": False}, "settings: no cost is an objective; set parameters, macs_per_second or latency_ms"),
    ],
)
def test_settings_out_of_range_are_refused_when_the_file_is_read(settings: dict[str, Any], match: str) -> None:
    with pytest.raises(SettingsError, match=match):
        strategy(**settings)


def test_the_costs_asked_for_are_read_from_the_settings() -> None:
    assert asked(population=4, latency_ms=True) == ("parameters", "latency_ms")
    assert asked(parameters=False, macs_per_second=True) == ("macs_per_second",)
