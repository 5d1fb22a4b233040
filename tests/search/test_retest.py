"""The best trials are trained anew, and that alone names the winner; the luck of the first scores is left behind."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import integrate, special, stats

from audionas.errors import RunError
from audionas.search.algorithms import ALGORITHMS
from audionas.search.evaluator import Score
from audionas.search.extra_rl import is_installed
from audionas.search.retest import Winner, n_retests, name_winner
from audionas.search.run import SearchResult, run_search
from audionas.search.strategy import Strategy, strategy_from_settings
from audionas.search.trials import Trial, TrialLog
from audionas.seeding import derive, generator
from audionas.spaces import Genotype, SearchSpace, load_search_space
from audionas.training.fit import NonFiniteLossError

SPACES = {"catalogue": "nas_bench_nlp_catalogue", "random": "darts_cnn_small"}
SPACE = load_search_space(SPACES["random"])


class Noisy:
    """Stands for training: UA is noise drawn from the training's seed alone, all candidates are equally good."""

    def __init__(self, kill_at: int | None = None, failing: tuple[int, ...] = ()) -> None:
        self.seeds: list[int] = []
        self.hashes: list[str] = []
        self.kill_at, self.failing = kill_at, failing

    def evaluate(self, genotype: Genotype, *, epochs: int, seed: int) -> Score:
        if len(self.seeds) == self.kill_at:
            raise KeyboardInterrupt
        self.seeds.append(seed)
        self.hashes.append(genotype.hash)
        if len(self.seeds) - 1 in self.failing:
            raise NonFiniteLossError("epoch 0: the training loss is nan")
        ua = float(generator(seed, "noise").normal())
        return Score(ua, 0.5, -ua, -ua, 10, 0.1, 0)


def strategy(trials: int, retest: int = 5, algorithm: str = "random", objective: str = "ua") -> Strategy:
    settings = {"algorithm": algorithm, "parts": {"train": 0.75, "validation": 0.25}, "objective": objective}
    budget = {"trials": trials, "epochs": 1}
    return strategy_from_settings({**settings, "retest": retest, "budget": budget}, "mine", "mine.yaml")


def search(evaluator: Any, path: Path, trials: int = 20, retest: int = 5, seed: int = 0, **more: Any) -> SearchResult:
    return run_search(SPACE, strategy(trials, retest), evaluator, seed=seed, run=path, **more)


def logged(path: Path, name: str) -> list[Trial]:
    return list(TrialLog(path / name).finished.values())


def ua(trial: Trial) -> float:
    assert trial.score is not None
    return trial.score.ua


def test_the_best_five_are_trained_anew_with_new_keyed_seeds_and_the_re_test_alone_decides(tmp_path: Path) -> None:
    noisy = Noisy()
    found = search(noisy, tmp_path, seed=7)
    first, again = logged(tmp_path, "trials.jsonl"), logged(tmp_path, "retests.jsonl")
    best = sorted(first, key=lambda trial: -ua(trial))[:5]
    assert [trial.number for trial in best] == [line["number"] for line in proposals(tmp_path)]
    assert noisy.seeds[20:] == [derive(7, "retest", trial.number) for trial in best]
    assert not set(noisy.seeds[20:]) & set(noisy.seeds[:20])
    winner = max(again, key=ua)
    assert found.epoch_or_trial == winner.number
    assert found.genotype.hash == winner.hash
    ranks = [trial.number for trial in best]
    assert found.winner == Winner(
        winner.number, "ua", ua(first[winner.number]), ua(winner), 5, ranks.index(winner.number) + 1
    )


def proposals(path: Path) -> list[Any]:
    lines = [json.loads(line) for line in (path / "retests.jsonl").read_text().splitlines()]
    return [line for line in lines if line["event"] == "proposed"]


def test_the_re_test_trains_on_the_redrawn_division(tmp_path: Path) -> None:
    first, redrawn = Noisy(), Noisy()
    search(first, tmp_path, trials=10, redrawn=lambda: redrawn)
    assert (len(first.seeds), len(redrawn.seeds)) == (10, 5)


@pytest.mark.parametrize("trials,asked,expected", [(20, 5, 5), (9, 5, 4), (4, 5, 2), (3, 5, 0), (20, 0, 0), (20, 1, 0)])
def test_at_most_half_of_the_trials_are_re_tested_and_never_one_alone(
    tmp_path: Path, trials: int, asked: int, expected: int
) -> None:
    assert n_retests(trials, asked) == expected
    noisy = Noisy()
    found = search(noisy, tmp_path, trials=trials, retest=asked)
    assert len(noisy.seeds) == trials + expected
    assert found.winner is not None
    assert found.winner.n_retested == expected
    if not expected:
        assert found.winner.retest is None
        assert found.epoch_or_trial == max(logged(tmp_path, "trials.jsonl"), key=ua).number
        assert not (tmp_path / "retests.jsonl").exists()


def test_an_architecture_is_trained_and_re_tested_once_however_often_it_is_met(tmp_path: Path) -> None:
    class Four:
        """All assignments are taken for one of four architectures."""

        def __getattr__(self, name: str) -> Any:
            return getattr(SPACE, name)

        def genotype(self, sample: dict[str, str]) -> Genotype:
            options = ("avg_pool_3x3", "dil_conv_3x3", "max_pool_3x3", "sep_conv_3x3")
            option = next((op for op in options if sample["normal_n0_op0"] <= op), options[-1])
            return SPACE.genotype({key: option if "op" in key else "0+1" for key in sample})

    noisy = Noisy()
    found = run_search(Four(), strategy(20), noisy, seed=0, run=tmp_path)  # type: ignore[arg-type]
    assert found.stopped_by == "exhausted"
    assert len(set(noisy.hashes[:4])) == 4
    assert len(noisy.seeds) == 4 + 2
    assert len(set(noisy.hashes[4:])) == 2


def test_a_re_test_that_fails_is_out_of_the_choice(tmp_path: Path) -> None:
    found = search(Noisy(failing=(20, 21)), tmp_path)
    finished = {trial.number: trial for trial in logged(tmp_path, "retests.jsonl")}
    again = [finished[line["number"]] for line in proposals(tmp_path)]
    assert [trial.status for trial in again] == ["failed", "failed", "done", "done", "done"]
    assert found.winner is not None
    assert found.winner.failed == tuple(trial.number for trial in again[:2])
    assert found.epoch_or_trial == max(again[2:], key=ua).number


def test_when_every_re_test_fails_the_first_scores_name_the_winner(tmp_path: Path) -> None:
    found = search(Noisy(failing=tuple(range(20, 25))), tmp_path)
    best = max(logged(tmp_path, "trials.jsonl"), key=ua)
    assert found.winner is not None
    assert (found.winner.trial, found.winner.retest, found.winner.rank_first) == (best.number, None, 1)
    assert len(found.winner.failed) == 5


@pytest.mark.parametrize("kill_at", [12, 20, 22, 24])
def test_a_search_killed_in_the_re_test_loses_the_candidate_under_way_at_most(tmp_path: Path, kill_at: int) -> None:
    whole, rest = Noisy(), Noisy()
    expected = search(whole, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        search(Noisy(kill_at=kill_at), tmp_path / "killed")
    found = search(rest, tmp_path / "killed")
    assert rest.seeds == whole.seeds[kill_at:]
    assert replace(found, seconds=0) == replace(expected, seconds=0)
    again = Noisy()
    assert search(again, tmp_path / "killed").winner == expected.winner
    assert again.seeds == []


def test_re_tests_of_another_search_are_refused(tmp_path: Path) -> None:
    search(Noisy(), tmp_path / "one", seed=1)
    search(Noisy(), tmp_path / "two", seed=2)
    (tmp_path / "one" / "retests.jsonl").write_bytes((tmp_path / "two" / "retests.jsonl").read_bytes())
    with pytest.raises(
        RunError, match=r"retests.jsonl: the re-test of trial \d+ is of another search; remove the file"
    ):
        search(Noisy(), tmp_path / "one", seed=1)


def test_of_equal_re_tests_the_smaller_network_wins_then_the_earlier_trial() -> None:
    def trial(number: int, value: float, parameters: int) -> Trial:
        return Trial(number, str(number), {}, "done", Score(value, 0, 0, 0, parameters, 0), None)

    ranked = [trial(0, 0.9, 30), trial(1, 0.8, 20), trial(2, 0.7, 20)]
    again = [trial(0, 0.6, 30), trial(1, 0.6, 20), trial(2, 0.6, 20)]
    assert name_winner(ranked, again, "ua").trial == 1


# --- each objective, with each algorithm by trials ---


class Told:
    """UA, loss and balanced loss of a candidate are three digits of its hash: each has another best."""

    def __init__(self) -> None:
        self.values: dict[str, dict[str, float]] = {}

    def evaluate(self, genotype: Genotype, *, epochs: int, seed: int) -> Score:
        draw = generator(int(genotype.hash[:12], 16), "scores").uniform(size=3).tolist()
        self.values[genotype.hash] = dict(zip(("ua", "loss", "balanced_loss"), draw, strict=True))
        return Score(draw[0], 0.5, draw[1], draw[2], 10, 0.1, 0)

    def proxy(self, genotype: Genotype, name: str, *, seed: int) -> float:
        return float(generator(int(genotype.hash[:12], 16), name).uniform())


@pytest.mark.parametrize("objective", ["balanced_loss", "ua", "loss"])
@pytest.mark.parametrize(
    "algorithm",
    [name for name, each in ALGORITHMS.items() if each.kind == "multi-trial" and (is_installed() or not each.needs_rl)],
)
@pytest.mark.parametrize("retest", [0, 3])
def test_every_objective_decides_with_every_algorithm(
    tmp_path: Path, algorithm: str, objective: str, retest: int
) -> None:
    space: SearchSpace = load_search_space(SPACES.get(algorithm, SPACES["random"]))
    told = Told()
    found = run_search(space, strategy(12, retest, algorithm, objective), told, seed=0, run=tmp_path)  # type: ignore[arg-type]
    choose = max if objective == "ua" else min
    best = {name: (max if name == "ua" else min)(told.values, key=lambda h: told.values[h][name])
            for name in ("ua", "loss", "balanced_loss")}  # fmt: skip
    assert len(set(best.values())) > 1, "the case must tell the objectives apart"
    assert found.genotype.hash == best[objective]
    assert found.winner is not None
    value = choose(values[objective] for values in told.values.values())
    assert (found.winner.objective, found.winner.first) == (objective, value)
    assert found.winner.retest == (value if retest else None)


# --- what it is for ---


def expected_order_statistic(n: int, k: int) -> float:
    """Mean of the k-th largest of n independent standard normals: its density integrated (David and Nagaraja 2003)."""
    n_orders = n * special.comb(n - 1, k - 1)

    def density(x: float) -> float:
        return float(n_orders * stats.norm.cdf(x) ** (n - k) * stats.norm.sf(x) ** (k - 1) * stats.norm.pdf(x))

    return float(integrate.quad(lambda x: x * density(x), -10, 10)[0])


def test_the_expected_maximum_is_that_of_the_tables() -> None:
    # Harter 1961, "Expected values of normal order statistics": 1.16296 for n = 5, 1.86748 for n = 20
    assert expected_order_statistic(5, 1) == pytest.approx(1.16296, abs=1e-5)
    assert expected_order_statistic(20, 1) == pytest.approx(1.86748, abs=1e-5)
    assert expected_order_statistic(20, 2) == pytest.approx(1.40760, abs=1e-5)


@pytest.mark.slow
def test_the_best_first_score_is_above_the_truth_by_the_expected_maximum_and_its_re_test_is_not(tmp_path: Path) -> None:
    """All candidates have the true value 0 and noise of sd 1; 50 searches of 20 trials, 5 re-tested."""
    firsts, of_best, of_all, winners = [], [], [], []
    for seed in range(50):
        found = search(Noisy(), tmp_path / str(seed), seed=seed)
        first = {trial.number: ua(trial) for trial in logged(tmp_path / str(seed), "trials.jsonl")}
        again = {trial.number: ua(trial) for trial in logged(tmp_path / str(seed), "retests.jsonl")}
        best = max(first, key=first.__getitem__)
        assert found.winner is not None
        firsts.append(first[best])
        of_best.append(again[best])
        of_all.append(np.mean(list(again.values())))
        winners.append(found.winner.retest)

    def is_about(values: list[Any], expected: float) -> bool:
        return bool(abs(np.mean(values) - expected) < 4 * np.std(values, ddof=1) / np.sqrt(len(values)))

    luck = expected_order_statistic(20, 1)
    assert is_about(firsts, luck), "the winner's curse: 1.87 sd"
    assert is_about(of_best, 0.0)
    assert not is_about(of_best, luck)
    assert is_about(of_all, 0.0), "the mean over re-tests is unbiased"
    assert is_about(winners, expected_order_statistic(5, 1)), "the best re-test of 5 is still optimistic: no result"
    assert not is_about(winners, luck)
