"""Strategies replayed on tables: no time is lost, nothing random is worse than it should be, references agree."""

from __future__ import annotations

import math
import time
from importlib import import_module
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from audionas.errors import SettingsError
from audionas.search.strategy import load_strategy
from audionas.search.tabular import Row, TabularEvaluator
from audionas.search.tabular_replay import regret_curve, replay
from audionas.search.tabular_space import TableSpace
from audionas.seeding import generator
from tests.reference.plain_search.random_search import search as random_search

SIZES = (3,) * 7
SPACE = TableSpace({f"layer_{i}": ("0", "1", "2") for i in range(7)}, "rugged")
STRATEGIES = ("grid", "local_search", "random", "regularized_evolution", "tpe")

LEARNING = ("local_search", "regularized_evolution", "tpe")


def rugged(point: tuple[int, ...]) -> float:
    """A sum of effects of single choices and of neighbouring pairs, drawn once: a landscape that can be climbed."""
    singles = generator(0, "singles").normal(size=(7, 3))
    pairs = generator(0, "pairs").normal(size=(6, 3, 3))
    single = sum(singles[i, option] for i, option in enumerate(point))
    return float(single + 0.7 * sum(pairs[i, point[i], point[i + 1]] for i in range(6)))


@pytest.fixture(scope="module")
def scores() -> dict[tuple[int, ...], float]:
    return {point: rugged(point) for point in product(range(3), repeat=7)}


@pytest.fixture(scope="module")
def table(scores: dict[tuple[int, ...], float]) -> TabularEvaluator:
    rows = {
        SPACE.genotype({f"layer_{i}": str(option) for i, option in enumerate(point)}).hash: Row(score)
        for point, score in scores.items()
    }
    return TabularEvaluator(rows, "rugged")


def regrets(name: str, table: TabularEvaluator, n_seeds: int, n: int) -> np.ndarray:
    strategy = load_strategy(name).with_budget(epochs=1, trials=n)
    return np.array([regret_curve(table, replay(SPACE, strategy, table, seed=seed))[-1] for seed in range(n_seeds)])


@pytest.mark.parametrize("name", STRATEGIES)
def test_300_evaluations_take_less_than_ten_seconds_and_nothing_sleeps(
    name: str, table: TabularEvaluator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sleep(seconds: float) -> None:
        raise AssertionError(f"slept {seconds} s")

    monkeypatch.setattr(time, "sleep", sleep)
    replay(SPACE, load_strategy(name).with_budget(epochs=1, trials=2), table, seed=0)  # the import of NNI apart
    started = time.process_time()
    trials = replay(SPACE, load_strategy(name).with_budget(epochs=1, trials=300), table, seed=1)
    assert time.process_time() - started < 10
    assert len({trial.hash for trial in trials}) == len(trials) == 300


@pytest.mark.slow
@pytest.mark.parametrize("name", STRATEGIES)
def test_a_plain_reference_without_nni_reaches_the_same_regret(
    name: str, table: TabularEvaluator, scores: dict[tuple[int, ...], float]
) -> None:
    # benchmarks/regret.py has the same comparison on NAS-Bench-Macro, over 50 seeds, at 100 and 300 evaluations
    n, module = 60, {"random": "random_search"}.get(name, name)
    search = import_module(f"tests.reference.plain_search.{module}").search
    # ranks, since many regrets are 0 here and the others skewed
    ours = regrets(name, table, 30, n)
    theirs = [table.best - max(search(SIZES, scores.__getitem__, n, seed)) for seed in range(150)]
    assert stats.mannwhitneyu(ours, theirs).pvalue > 0.01
    if name in LEARNING:  # the comparison is sharp enough to tell them from random search
        drawn = [table.best - max(random_search(SIZES, scores.__getitem__, n, seed)) for seed in range(150)]
        assert stats.mannwhitneyu(ours, drawn, alternative="less").pvalue < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("name", LEARNING)
def test_a_strategy_that_learns_is_better_than_random(name: str, table: TabularEvaluator) -> None:
    ours, drawn = regrets(name, table, 15, 60), regrets("random", table, 15, 60)
    assert stats.wilcoxon(ours, drawn, alternative="less").pvalue < 0.01


def test_a_regret_is_the_distance_of_the_best_so_far_and_failures_do_not_count(table: TabularEvaluator) -> None:
    trials = replay(SPACE, load_strategy("random").with_budget(epochs=1, trials=20), table, seed=0)
    best_so_far = np.maximum.accumulate([trial.score.ua for trial in trials if trial.score])
    assert regret_curve(table, trials) == pytest.approx(table.best - best_so_far)
    holes = {h: Row(math.nan if h == trials[0].hash or h == trials[3].hash else r.score) for h, r in table.rows.items()}
    again = replay(SPACE, load_strategy("random").with_budget(epochs=1, trials=20), TabularEvaluator(holes), seed=0)
    curve = regret_curve(table, again)
    assert [trial.status for trial in again[:4]] == ["failed", "done", "done", "failed"]
    assert math.isnan(curve[0])
    assert curve[3] == curve[2]
    assert np.isfinite(curve[1:]).all()


def test_a_one_shot_strategy_has_nothing_to_look_up(table: TabularEvaluator) -> None:
    with pytest.raises(SettingsError, match="strategy 'darts' is one-shot: it trains one supernet and cannot read a"):
        replay(SPACE, load_strategy("darts"), table, seed=0)


def test_a_plain_reference_is_short_and_imports_neither_nni_nor_audionas() -> None:
    for path in sorted((Path(__file__).parents[1] / "reference" / "plain_search").glob("*.py")):
        text = path.read_text()
        assert len(text.splitlines()) < 60, path.name
        assert "nni" not in text.replace("annie", "")
        assert "audionas" not in text
