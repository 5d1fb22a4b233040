"""What stands between proposals and engines: repeats, limits, replay in the order in which things were heard."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audionas.errors import RunError
from audionas.search.engines import Job, Outcome
from audionas.search.evaluator import Score
from audionas.search.listener import SearchListener
from audionas.search.strategy import Strategy, load_strategy
from audionas.search.trial_runner import TrialRunner
from audionas.search.trials import Fidelity, Trial, TrialLog
from audionas.spaces import Genotype, load_search_space

SPACE = load_search_space("darts_cnn_small")


def sample(seed: int) -> dict[str, str]:
    rng = np.random.default_rng(seed)
    return {label: str(rng.choice(options)) for label, options in SPACE.choices().items()}


class Workers:
    """Stands for an engine of several workers; ends the newest job first, so that ends overtake one another."""

    def __init__(self, n_workers: int = 1) -> None:
        self.n_workers = n_workers
        self.jobs: deque[Job] = deque()
        self.seen: list[int] = []

    def submit(self, job: Job) -> None:
        assert len(self.jobs) < self.n_workers
        self.jobs.append(job)
        self.seen.append(job.number)

    def next(self) -> Outcome:
        job = self.jobs.pop()
        if job.number == 3:
            return Outcome(3, None, "ValueError: no")
        return Outcome(job.number, Score(job.number / 100, 0.5, 1.0, 1.0, 10, 0.1), costs={"forward": 7})

    def close(self) -> None:
        pass


def strategy(trials: int = 10) -> Strategy:
    return load_strategy("random").with_budget(epochs=4, trials=trials)


def runner(path: Path, workers: Workers, trials: int = 10, **settings: Any) -> TrialRunner:
    return TrialRunner(SPACE, strategy(trials), workers, 0, TrialLog(path / "trials.jsonl"), **settings)


def drive(found: TrialRunner, n: int, heard: list[int]) -> None:
    """What any strategy does: propose while there is room, hear of an end where there is none."""
    for seed in range(n):
        while found.n_under_way and found.is_full:
            heard.append(found.next().number)
        found.propose(sample(seed))
    while found.n_under_way:
        heard.append(found.next().number)


def test_a_repeat_is_answered_from_what_is_known_and_costs_nothing(tmp_path: Path) -> None:
    workers = Workers(2)
    found = runner(tmp_path, workers)
    first = found.propose(sample(1))
    assert found.propose(sample(1)).number == first.number == 0, "under way"
    trial = found.next()
    again = found.propose(sample(1))
    assert again.trial == trial
    assert (found.count, found.spent, workers.seen) == (1, 1.0, [0])


def test_another_fidelity_is_another_training_and_costs_in_proportion(tmp_path: Path) -> None:
    found = runner(tmp_path, Workers())
    for epochs, fraction in ((1, 1.0), (2, 0.5), (4, 1.0)):
        found.propose(sample(1), Fidelity(epochs, fraction))
        found.next()
    assert found.count == 3
    assert found.spent == pytest.approx(1 / 4 + 2 * 0.5 / 4 + 1)


def test_the_most_thoroughly_trained_alone_are_ranked(tmp_path: Path) -> None:
    found = runner(tmp_path, Workers())
    for seed, epochs in ((0, 1), (1, 4), (2, 4), (4, 1)):
        found.propose(sample(seed), Fidelity(epochs))
        found.next()
    assert [trial.number for trial in found.log.ranked("ua")] == [2, 1]
    again = TrialLog(tmp_path / "trials.jsonl")
    assert again.ranked("ua") == found.log.ranked("ua")


def test_a_refused_candidate_is_recorded_asked_once_and_no_trial(tmp_path: Path) -> None:
    asked: list[str] = []

    def refuse(genotype: Genotype) -> str | None:
        asked.append(genotype.hash)
        return "parameters 9 > 8" if genotype.hash == SPACE.genotype(sample(0)).hash else None

    workers = Workers()
    found = runner(tmp_path, workers, refuse=refuse)
    assert found.propose(sample(0)).refusal == "parameters 9 > 8"
    assert found.propose(sample(0)).refusal == "parameters 9 > 8"
    assert found.propose(sample(1)).number == 0
    found.next()
    assert len(asked) == 2
    resumed = runner(tmp_path, Workers(), refuse=lambda _: pytest.fail("asked again"))
    assert resumed.propose(sample(0)).refusal == "parameters 9 > 8"
    assert resumed.propose(sample(1)).number == 0
    assert (workers.seen, resumed.count) == ([0], 1)


@pytest.mark.parametrize("n_workers", [1, 2, 3])
@pytest.mark.parametrize("n_lines", [0, 1, 4, 7, 11, 15, 16])
def test_a_search_stopped_after_any_line_hears_the_same_again_and_runs_nothing_twice(
    tmp_path: Path, n_workers: int, n_lines: int
) -> None:
    whole: list[int] = []
    drive(runner(tmp_path, Workers(n_workers), 8), 8, whole)
    path = tmp_path / "trials.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:n_lines]))
    log = TrialLog(path)
    before = [number for event, number in log.events if event == "finished"]
    workers, heard = Workers(n_workers), []
    drive(TrialRunner(SPACE, strategy(8), workers, 0, log), 8, heard)
    assert heard[: len(before)] == before == whole[: len(before)]
    assert sorted(workers.seen + before) == list(range(8)), "each once"
    if n_workers == 1:
        assert heard == whole
    final = TrialLog(path)
    assert sorted(final.finished) == list(range(8))
    assert [number for event, number in final.events if event == "proposed"] == list(range(8))


def test_a_log_of_another_search_is_refused(tmp_path: Path) -> None:
    drive(runner(tmp_path, Workers()), 3, [])
    other = runner(tmp_path, Workers())
    with pytest.raises(RunError, match="trial 0 was another genotype; this log is of another search"):
        other.propose(sample(9))


def test_a_failure_has_its_reason_and_the_listener_hears_of_what_was_run_now(tmp_path: Path) -> None:
    heard: list[Trial] = []
    found = runner(tmp_path, Workers(), listener=SearchListener(on_trial=heard.append))
    drive(found, 4, [])
    assert [trial.status for trial in heard] == ["done"] * 3 + ["failed"]
    assert found.log.finished[3].error == "ValueError: no"
    heard.clear()
    drive(runner(tmp_path, Workers(), listener=SearchListener(on_trial=heard.append)), 4, [])
    assert heard == []


def test_the_budget_ends_and_so_does_patience(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audionas.search.trial_runner.PATIENCE", 5)
    found = runner(tmp_path, Workers(), trials=2)
    drive(found, 1, [])
    for _ in range(4):
        found.propose(sample(0))
        assert found.has_budget
    found.propose(sample(0))
    assert not found.has_budget, "nothing new any more"
    found.propose(sample(1))
    found.next()
    assert not found.has_budget, "spent"


def test_what_other_processes_counted_is_added_to_the_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: dict[str, int] = {}

    def count(**numbers: int) -> None:
        for name, number in numbers.items():
            counted[name] = counted.get(name, 0) + number

    monkeypatch.setattr("audionas.search.trial_runner.count", count)
    drive(runner(tmp_path, Workers()), 3, [])
    assert counted == {"forward": 21, "compared": 3}


def test_a_finished_trial_comes_back_from_the_log_as_it_was(tmp_path: Path) -> None:
    found = runner(tmp_path, Workers())
    found.propose(sample(0), Fidelity(2, 0.5))
    trial = found.next()
    assert TrialLog(tmp_path / "trials.jsonl").finished == {0: trial}
    assert replace(trial, fidelity=None) != trial
