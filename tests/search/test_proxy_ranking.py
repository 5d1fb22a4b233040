"""Random candidates ranked without training: as a strategy of its own, and as the warm start of others."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from audionas.errors import RunError, SettingsError
from audionas.search.proxy_ranking import ProxyRanking
from audionas.search.run import run_search
from audionas.search.strategy import Strategy, load_strategy, strategy_from_settings
from audionas.search.trials import TrialLog
from audionas.spaces import load_search_space
from tests.search.told import Told

SPACE = load_search_space("darts_cnn_small")


@pytest.fixture(autouse=True)
def _no_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)  # nobody kills the machine in a test


def strategy(algorithm: str = "zero_cost", trials: int = 5, **more: Any) -> Strategy:
    return strategy_from_settings(
        {"algorithm": algorithm, "parts": {"train": 0.75, "validation": 0.25}, "objective": "ua", "retest": 0,
         "budget": {"trials": trials, "epochs": 4}, **more}, "mine", "mine.yaml"
    )  # fmt: skip


def lines(run: Path) -> list[Any]:
    return [json.loads(line) for line in (run / "proxies.jsonl").read_text().splitlines()]


def test_the_candidates_of_the_highest_proxy_are_trained_best_first(tmp_path: Path) -> None:
    told = Told()
    run_search(SPACE, strategy(settings={"draws": 30}), told, seed=0, run=tmp_path)  # type: ignore[arg-type]
    scores = {line["hash"]: line["score"] for line in lines(tmp_path)}
    assert len(scores) == 30
    assert [each[0] for each in told.seen] == sorted(scores, key=lambda each: -scores[each])[:5]


def test_fewer_draws_than_trials_are_refused_in_one_line() -> None:
    with pytest.raises(SettingsError, match=r"mine.yaml: settings.draws: got 3 for 5 trials, must be at least as many"):
        strategy(settings={"draws": 3})
    shipped = load_strategy("zero_cost")
    with pytest.raises(
        SettingsError, match=r"strategy zero_cost: settings.draws: got 100 for 101 trials, .* set draws"
    ):
        shipped.with_budget(epochs=None, trials=101)
    assert shipped.with_budget(epochs=None, trials=100).budget.trials == 100
    assert strategy("local_search", 50, settings={"draws": 3}).settings == {"draws": 3}, "those are of another kind"


@pytest.mark.parametrize("n_lines", [0, 7, 29])
def test_a_killed_ranking_goes_on_with_the_next_draw(tmp_path: Path, n_lines: int) -> None:
    whole, rest = Told(), Told()
    expected = ProxyRanking(SPACE, whole, 0, tmp_path).best_first("synflow", 30)
    path = tmp_path / "proxies.jsonl"
    kept = path.read_text().splitlines(keepends=True)[:n_lines]
    path.write_text("".join(kept))
    assert ProxyRanking(SPACE, rest, 0, tmp_path).best_first("synflow", 30) == expected
    assert rest.proxied == whole.proxied[n_lines:]


def test_scores_of_another_search_or_proxy_are_refused(tmp_path: Path) -> None:
    ProxyRanking(SPACE, Told(), 0, tmp_path).best_first("synflow", 2)
    for seed, proxy in ((1, "synflow"), (0, "naswot")):
        with pytest.raises(RunError, match=r"proxies.jsonl: draw 0 is of another search; remove the file"):
            ProxyRanking(SPACE, Told(), seed, tmp_path).best_first(proxy, 2)


@pytest.mark.parametrize(
    "line,why",
    [
        ('{"a": 1}', "draw 0 is of another search; remove the file"),
        (None, "draw 0: score: got 'high', must be a number; remove the file"),
    ],
)
def test_scores_that_were_edited_are_refused(tmp_path: Path, line: str | None, why: str) -> None:
    ProxyRanking(SPACE, Told(), 0, tmp_path).best_first("synflow", 1)
    path = tmp_path / "proxies.jsonl"
    path.write_text((line or json.dumps(lines(tmp_path)[0] | {"score": "high"})) + "\n")
    with pytest.raises(RunError, match=f"proxies.jsonl: {why}"):
        ProxyRanking(SPACE, Told(), 0, tmp_path).best_first("synflow", 1)


def test_a_candidate_without_a_finite_proxy_is_last(tmp_path: Path) -> None:
    class Dead(Told):
        def proxy(self, *arguments: Any, **words: Any) -> float:
            value = super().proxy(*arguments, **words)
            return float("-inf") if len(self.proxied) == 1 else value

    found = ProxyRanking(SPACE, Dead(), 0, tmp_path).best_first("synflow", 5)
    assert lines(tmp_path)[0]["score"] is None
    assert found[-1] == lines(tmp_path)[0]["sample"]


def test_an_evaluator_that_computes_no_proxies_is_refused(tmp_path: Path) -> None:
    class Table:
        def evaluate(self, *_: Any, **__: Any) -> Any: ...

    with pytest.raises(SettingsError, match="proxy 'synflow': Table computes no zero-cost proxies"):
        ProxyRanking(SPACE, Table(), 0, tmp_path).best_first("synflow", 5)


@pytest.mark.parametrize(
    "algorithm", ["random", "successive_halving", "nsga2", "regularized_evolution", "tpe", "local_search"]
)
def test_a_warm_start_gives_the_first_proposals(tmp_path: Path, algorithm: str) -> None:
    told, cold = Told(), Told()
    warm = strategy(algorithm, 20, warm_start={"proxy": "naswot", "draws": 40, "take": 3})
    run_search(SPACE, warm, told, seed=0, run=tmp_path / "warm")  # type: ignore[arg-type]
    run_search(SPACE, strategy(algorithm, 20), cold, seed=0, run=tmp_path / "cold")  # type: ignore[arg-type]
    scores = {line["hash"]: line["score"] for line in lines(tmp_path / "warm")}
    best = sorted(scores, key=lambda each: -scores[each])[:3]
    proposed = list(TrialLog(tmp_path / "warm" / "trials.jsonl").proposed.values())
    assert [each for each in dict.fromkeys(proposed) if each in best] == best
    assert proposed[0] == best[0]
    assert proposed[0] != TrialLog(tmp_path / "cold" / "trials.jsonl").proposed[0]


def test_what_cannot_be_warm_started_is_refused() -> None:
    warm: Any = {"proxy": "synflow"}
    with pytest.raises(SettingsError, match=r"warm_start: algorithm 'zero_cost' does not begin with random draws"):
        strategy(warm_start=warm)
    with pytest.raises(SettingsError, match=r"warm_start: algorithm 'darts' is one-shot and proposes nothing"):
        strategy_from_settings(
            {"algorithm": "darts", "parts": {"weights": 0.5, "alphas": 0.5}, "warm_start": warm}, "mine", "mine.yaml"
        )
    with pytest.raises(SettingsError, match=r"warm_start.proxy: .*unknown zero-cost proxy 'x'"):
        strategy("random", warm_start={"proxy": "x"})
    with pytest.raises(SettingsError, match=r"warm_start: take: got 10, must be from 1 to draws \(5\)"):
        strategy("random", warm_start={"draws": 5})
    with pytest.raises(SettingsError, match=r"settings.draws: got 0, must be from 1 to 100000"):
        strategy(settings={"draws": 0})


@pytest.mark.parametrize(
    "which", [{"settings": {"proxy": "naswot"}}, {"algorithm": "random", "warm_start": {"proxy": "synflow"}}]
)
def test_a_proxy_without_meaning_for_a_space_is_refused_before_anything_runs(which: Any) -> None:
    with pytest.raises(SettingsError, match="has no meaning for recurrent cells"):
        strategy(**which).for_space(load_search_space("nas_bench_nlp_rnn"))
