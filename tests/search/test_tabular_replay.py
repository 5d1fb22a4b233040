"""Strategies replayed on tables: no time is lost, nothing random is worse than it should be, references agree."""

from __future__ import annotations

import inspect
import math
import time
from importlib import import_module
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from audionas.errors import SettingsError
from audionas.search import extra_rl
from audionas.search.evaluator import Score
from audionas.search.strategy import Budget, Strategy, load_strategy
from audionas.search.tabular import Row, TabularEvaluator
from audionas.search.tabular_replay import regret_by_budget, regret_curve, replay
from audionas.search.tabular_space import TableSpace
from audionas.search.trials import Fidelity, Trial
from audionas.seeding import generator
from tests.reference.plain_search.random_search import search as random_search

SIZES = (3,) * 7
SPACE = TableSpace({f"layer_{i}": ("0", "1", "2") for i in range(7)}, "rugged")
WHOLE = 9  # epochs, so that halving has rungs of 1, 3 and 9
STRATEGIES = (
    "grid", "hyperband", "local_search", "nsga2", "policy_gradient", "random", "regularized_evolution",
    "successive_halving", "tpe", "zero_cost",
)  # fmt: skip
LEARNING = ("local_search", "regularized_evolution", "tpe")
CHANGES = {"zero_cost": {"proxy": "parameters", "draws": 500}}  # as in the benchmark
SLOW = ("policy_gradient",)


@pytest.fixture(params=[pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in STRATEGIES])
def name(request: pytest.FixtureRequest) -> str:
    if request.param == "policy_gradient" and not extra_rl.is_installed():
        pytest.skip("the extra rl is not installed")
    return str(request.param)


def strategy_of(name: str, trials: int) -> Strategy:
    found = load_strategy(name)
    return found.replace(settings=found.settings | CHANGES.get(name, {})).with_budget(epochs=WHOLE, trials=trials)


def rugged(point: tuple[int, ...]) -> float:
    """A sum of effects of single choices and of neighbouring pairs, drawn once: a landscape that can be climbed."""
    singles = generator(0, "singles").normal(size=(7, 3))
    pairs = generator(0, "pairs").normal(size=(6, 3, 3))
    single = sum(singles[i, option] for i, option in enumerate(point))
    return float(single + 0.7 * sum(pairs[i, point[i], point[i + 1]] for i in range(6)))


def size_of(point: tuple[int, ...]) -> int:
    """Parameters of a point: more of later options, and of later layers."""
    return sum(option * 10 + option * i for i, option in enumerate(point))


def hash_of(point: tuple[int, ...]) -> str:
    return SPACE.genotype({f"layer_{i}": str(option) for i, option in enumerate(point)}).hash


@pytest.fixture(scope="module")
def scores() -> dict[tuple[int, ...], float]:
    return {point: rugged(point) for point in product(range(3), repeat=7)}


@pytest.fixture(scope="module")
def table(scores: dict[tuple[int, ...], float]) -> TabularEvaluator:
    rows = {hash_of(point): Row(score, size_of(point)) for point, score in scores.items()}
    return TabularEvaluator(rows, "rugged")


def regrets(name: str, table: TabularEvaluator, n_seeds: int, n: int) -> np.ndarray:
    strategy = strategy_of(name, n)
    found = [regret_by_budget(table, replay(SPACE, strategy, table, seed=k), strategy.budget) for k in range(n_seeds)]
    return np.array([curve[-1] for curve in found])


def test_300_evaluations_take_less_than_ten_seconds_and_nothing_sleeps(
    name: str, table: TabularEvaluator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sleep(seconds: float) -> None:
        raise AssertionError(f"slept {seconds} s")

    monkeypatch.setattr(time, "sleep", sleep)
    replay(SPACE, strategy_of(name, 2), table, seed=0)  # the import of NNI apart
    started = time.process_time()
    trials = replay(SPACE, strategy_of(name, 300), table, seed=1)
    assert time.process_time() - started < 10
    assert len({(trial.hash, trial.fidelity) for trial in trials}) == len(trials) >= 300
    assert 299 < sum(trial.fidelity.cost(WHOLE) for trial in trials if trial.fidelity) < 300 + 1e-6


@pytest.mark.slow
def test_a_plain_reference_without_nni_reaches_the_same_regret(
    name: str, table: TabularEvaluator, scores: dict[tuple[int, ...], float]
) -> None:
    # benchmarks/regret.py has the same comparison on NAS-Bench-Macro, over 50 seeds, at 100 and 300 evaluations
    n, module = 60, {"random": "random_search"}.get(name, name)
    search = import_module(f"tests.reference.plain_search.{module}").search
    given = {"cost": size_of, "proxy": size_of, "short": lambda point, _: scores[point]}
    asked = {key: given[key] for key in inspect.signature(search).parameters if key in given}
    # ranks, since many regrets are 0 here and the others skewed
    n_ours, n_theirs = (15, 40) if name in SLOW else (30, 150)
    ours = regrets(name, table, n_ours, n)
    theirs = [table.best - max(search(SIZES, scores.__getitem__, n, seed, **asked)) for seed in range(n_theirs)]
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


def test_shorter_trainings_count_in_part_and_only_the_best_trained_whole_is_found() -> None:
    rows = TabularEvaluator({of: Row(score) for of, score in (("a", 9.0), ("b", 5.0), ("c", 7.0))})

    def trial(number: int, of: str, epochs: int) -> Trial:
        score = rows.rows[of].score
        return Trial(number, of, {}, "done", Score(score, score, -score, -score, 0, 0.0), None, Fidelity(epochs))

    trials = [trial(0, "a", 3), trial(1, "b", 9), trial(2, "c", 3), trial(3, "c", 9), trial(4, "a", 9)]
    # 1/3, 4/3, 5/3, 8/3, 11/3 whole trainings are spent when they end
    found = regret_by_budget(rows, trials, Budget(epochs=9, trials=5))
    assert found == pytest.approx([np.nan, 4.0, 2.0, 0.0, 0.0], nan_ok=True)


def test_of_whole_trainings_the_budget_is_their_number(table: TabularEvaluator) -> None:
    trials = replay(SPACE, strategy_of("random", 20), table, seed=0)
    assert regret_by_budget(table, trials, Budget(epochs=WHOLE, trials=20)) == pytest.approx(
        regret_curve(table, trials)
    )


def test_a_ranking_reads_its_proxy_from_the_table(scores: dict[tuple[int, ...], float]) -> None:
    rows = {hash_of(point): Row(score, size_of(point), proxies={"synflow": score}) for point, score in scores.items()}
    told = TabularEvaluator(rows, "told")
    strategy = strategy_of("zero_cost", 20)
    drawn = replay(SPACE, strategy.replace(settings={"proxy": "synflow", "draws": 200}), told, seed=0)
    values = [trial.score.ua for trial in drawn if trial.score]
    assert values == sorted(values, reverse=True)
    sizes = [trial.score.parameters for trial in replay(SPACE, strategy, told, seed=0) if trial.score]
    assert sizes == sorted(sizes, reverse=True)
    with pytest.raises(SettingsError, match="told: no proxy 'naswot'; it holds: parameters, synflow"):
        replay(SPACE, strategy.replace(settings={"proxy": "naswot", "draws": 20}), told, seed=0)


def test_a_warm_start_begins_with_what_the_proxy_of_the_table_found_best(table: TabularEvaluator) -> None:
    warm = {"proxy": "parameters", "draws": 200, "take": 5}
    trials = replay(SPACE, strategy_of("random", 20).replace(warm_start=warm), table, seed=0)
    sizes = [trial.score.parameters for trial in trials if trial.score]
    every = [row.parameters for row in table.rows.values()]
    assert sizes[:5] == sorted(sizes[:5], reverse=True)
    assert sizes[4] >= np.quantile(every, 0.9) > np.median(sizes[5:])


def test_a_one_shot_strategy_has_nothing_to_look_up(table: TabularEvaluator) -> None:
    with pytest.raises(SettingsError, match="strategy 'darts' is one-shot: it trains one supernet and cannot read a"):
        replay(SPACE, load_strategy("darts"), table, seed=0)


def test_a_plain_reference_is_short_and_imports_neither_nni_nor_audionas() -> None:
    for path in sorted((Path(__file__).parents[1] / "reference" / "plain_search").glob("*.py")):
        text = path.read_text()
        assert len(text.splitlines()) < 60, path.name
        assert "nni" not in text.replace("annie", "")
        assert "audionas" not in text
