"""Asynchronous successive halving and Hyperband as whole searches: decisions, budget, determinism, replay."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from audionas.search.engines import Job, Outcome
from audionas.search.engines.work import work
from audionas.search.listener import SearchListener
from audionas.search.multi_trial import search_multi_trial
from audionas.search.run import SearchResult, run_search
from audionas.search.strategy import Strategy, strategy_from_settings
from audionas.search.trials import Trial, TrialLog
from audionas.spaces import load_search_space
from tests.search.told import Told

SPACE = load_search_space("darts_cnn_small")
NAMES = ["successive_halving", "hyperband"]


@pytest.fixture(autouse=True)
def _no_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)  # nobody kills the machine in a test


def strategy(algorithm: str, trials: int = 10, epochs: int = 9, **settings: Any) -> Strategy:
    return strategy_from_settings(
        {"algorithm": algorithm, "parts": {"train": 0.75, "validation": 0.25}, "objective": "ua", "retest": 0,
         "budget": {"trials": trials, "epochs": epochs}, "settings": settings}, "mine", "mine.yaml"
    )  # fmt: skip


def search(told: Told, run: Path, which: Strategy, seed: int = 0) -> SearchResult:
    return run_search(SPACE, which, told, seed=seed, run=run)  # type: ignore[arg-type]


def promoted_by_the_paper(trials: list[Trial], eta: int = 3) -> list[tuple[str, int]]:
    """Algorithm 2 of Li et al. 2020 for one worker, written out: the job that follows from the trials before each."""
    jobs: list[tuple[str, int]] = []
    rungs: dict[int, dict[str, float]] = {1: {}, 3: {}, 9: {}}
    done: set[tuple[str, int]] = set()
    for trial in trials:
        job = ("new", 1)
        for epochs in (3, 1):
            rung = rungs[epochs]
            top = sorted(rung, key=rung.__getitem__, reverse=True)[: len(rung) // eta]
            candidates = [each for each in top if (each, epochs) not in done]
            if candidates:
                job = (candidates[0], 3 * epochs)
                done.add((candidates[0], epochs))
                break
        jobs.append(job)
        assert trial.score
        assert trial.fidelity
        rungs[trial.fidelity.epochs][trial.hash] = trial.score.ua
    return jobs


def test_every_decision_is_that_of_the_paper(tmp_path: Path) -> None:
    search(Told(), tmp_path, strategy("successive_halving"))
    trials = [trial for _, trial in sorted(TrialLog(tmp_path / "trials.jsonl").finished.items())]
    met: set[str] = set()
    found = []
    for trial in trials:
        assert trial.fidelity
        found.append((trial.hash if trial.hash in met else "new", trial.fidelity.epochs))
        met.add(trial.hash)
    expected = promoted_by_the_paper(trials)
    last = next((n for n, pair in enumerate(zip(found, expected, strict=True)) if pair[0] != pair[1]), len(found))
    assert sum(trial.fidelity.cost(9) for trial in trials[:last] if trial.fidelity) > 9, "until no promotion fits"
    assert last > 20


@pytest.mark.parametrize("by,rungs", [("epochs", {(1, 1.0), (3, 1.0), (9, 1.0)}),
                                      ("fraction", {(9, 3.0**-2), (9, 3.0**-1), (9, 1.0)})])  # fmt: skip
@pytest.mark.parametrize("name", NAMES)
def test_the_budget_is_spent_and_not_exceeded_and_each_is_trained_once_at_a_fidelity(
    tmp_path: Path, name: str, by: str, rungs: set[tuple[int, float]]
) -> None:
    told = Told()
    found = search(told, tmp_path, strategy(name, by=by))
    cost = sum(epochs * fraction / 9 for _, epochs, fraction in told.seen)
    assert 10 - 1 / 9 < cost <= 10 + 1e-9
    assert found.stopped_by == "budget"
    assert {(epochs, fraction) for _, epochs, fraction in told.seen} == rungs
    assert len(set(told.seen)) == len(told.seen)


@pytest.mark.parametrize("name", NAMES)
def test_the_winner_is_the_best_of_those_trained_whole_and_not_of_a_luckier_short_training(
    tmp_path: Path, name: str
) -> None:
    told = Told()
    found = search(told, tmp_path, strategy(name))
    whole = [genotype_hash for genotype_hash, epochs, _ in told.seen if epochs == 9]
    trials = {t.hash: t for t in TrialLog(tmp_path / "trials.jsonl").finished.values() if t.hash in whole}
    assert found.genotype.hash == max(whole, key=lambda each: trials[each].score.ua if trials[each].score else 0)


def test_hyperband_trains_some_whole_at_once(tmp_path: Path) -> None:
    told = Told()
    search(told, tmp_path, strategy("hyperband"))
    first = {genotype_hash: epochs for genotype_hash, epochs, _ in reversed(told.seen)}
    assert Counter(first.values())[9] >= 3
    assert Counter(first.values())[1] >= 9


@pytest.mark.parametrize("name", NAMES)
def test_a_budget_of_one_epoch_or_one_trial_has_one_rung(tmp_path: Path, name: str) -> None:
    for number, (trials, epochs) in enumerate([(4, 1), (1, 9)]):
        told = Told()
        search(told, tmp_path / str(number), strategy(name, trials, epochs))
        assert [each[1:] for each in told.seen] == [(epochs, 1.0)] * trials


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_fixes_the_sequence_and_a_killed_search_goes_on_with_it(tmp_path: Path, name: str) -> None:
    whole, other = Told(), Told()
    search(whole, tmp_path / "whole", strategy(name, 5))
    search(other, tmp_path / "other", strategy(name, 5), seed=1)
    assert other.seen != whole.seen
    for kill_at in (1, 7, len(whole.seen) - 1):
        path, rest = tmp_path / str(kill_at), Told()
        with pytest.raises(KeyboardInterrupt):
            search(Told(kill_at), path, strategy(name, 5))
        search(rest, path, strategy(name, 5))
        assert rest.seen == whole.seen[kill_at:]
        assert (path / "trials.jsonl").read_text() == (tmp_path / "whole" / "trials.jsonl").read_text()


class SeveralAtATime:
    """An engine of several workers whose jobs end in the order in which they began."""

    def __init__(self, evaluator: Any, n_workers: int) -> None:
        self.n_workers, self._evaluator, self._jobs = n_workers, evaluator, list[Job]()

    def submit(self, job: Job) -> None:
        self._jobs.append(job)

    def next(self) -> Outcome:
        return work(self._evaluator, self._jobs.pop(0))

    def close(self) -> None:
        pass


@pytest.mark.parametrize("n_workers", [1, 2, 3, 8])
@pytest.mark.parametrize("name", NAMES)
def test_a_budget_that_is_just_enough_trains_one_whole_with_several_workers_too(
    tmp_path: Path, name: str, n_workers: int
) -> None:
    # Three rungs of one whole training each: nine candidates, three, one.
    told, which = Told(), strategy(name, trials=3)
    search_multi_trial(
        SPACE, which, told, 0, tmp_path, SearchListener(), engine=lambda each: SeveralAtATime(each, n_workers)
    )
    assert 9 in [epochs for _, epochs, _ in told.seen]
    assert sum(epochs / 9 for _, epochs, _ in told.seen) <= 3 + 1e-9


class FirstHangs(SeveralAtATime):
    """The first job never ends; once it is the only one left, the search is killed."""

    def next(self) -> Outcome:
        ready = [job for job in self._jobs if job.number > 0]
        if not ready:
            raise KeyboardInterrupt
        self._jobs.remove(ready[0])
        return work(self._evaluator, ready[0])


@pytest.mark.parametrize("n_workers", [2, 3, 8])
@pytest.mark.parametrize("name", NAMES)
def test_a_trial_that_hangs_stops_nobody_else(tmp_path: Path, name: str, n_workers: int) -> None:
    which, path = strategy(name, trials=4), tmp_path / "trials.jsonl"
    told = Told()
    with pytest.raises(KeyboardInterrupt):
        search_multi_trial(
            SPACE, which, told, 0, tmp_path, SearchListener(), engine=lambda each: FirstHangs(each, n_workers)
        )
    spent = sum(epochs / 9 for _, epochs, _ in told.seen)
    assert 4 - 2 / 9 < spent < 4, "all of the budget but the ninth of a training that hangs"
    assert 9 in [epochs for _, epochs, _ in told.seen]
    before = path.read_text().splitlines()
    again = Told()
    search_multi_trial(
        SPACE, which, again, 0, tmp_path, SearchListener(), engine=lambda each: SeveralAtATime(each, n_workers)
    )
    assert path.read_text().splitlines()[: len(before)] == before, "a replay in the order in which things were heard"
    assert again.seen[0] not in told.seen, "the one that hung is trained now"
    assert len(set(told.seen + again.seen)) == len(told.seen) + len(again.seen), "and none twice"
