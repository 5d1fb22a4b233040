"""Child processes: what a trial does to its process is that trial's end alone, and no child outlives the search."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from audionas.errors import RunError, SettingsError
from audionas.search.engines import Engine, EngineOptions, Job, Outcome, make_engine
from audionas.search.engines.failures import WorkerDiedEarlyError
from audionas.search.evaluator import Score
from audionas.spaces import Genotype
from tests.search.engines import promises
from tests.search.engines.trials_that_go_wrong import Misbehaving, job

pytestmark = pytest.mark.slow
TIMEOUT_S = 4.0


@pytest.fixture(scope="module")
def evaluator(tmp_path_factory: pytest.TempPathFactory) -> Misbehaving:
    return promises.evaluator_of(tmp_path_factory.mktemp("trials"))


@pytest.fixture(scope="module")
def engine(evaluator: Misbehaving) -> Iterator[Engine]:
    """Two children; a start takes seconds, so all tests have the same ones."""
    found = make_engine("process_pool", evaluator, EngineOptions(2, TIMEOUT_S))
    yield found
    found.close()


def test_a_trial_is_scored_as_it_would_be_here(engine: Engine, evaluator: Misbehaving) -> None:
    promises.a_trial_is_scored_as_it_would_be_here(engine, evaluator)


def test_a_worker_has_one_thread_flushes_denormals_and_has_not_imported_nni(engine: Engine) -> None:
    promises.a_worker_has_one_thread_flushes_denormals_and_has_not_imported_nni(engine)


def test_what_a_trial_counted_comes_with_its_outcome(engine: Engine) -> None:
    promises.what_a_trial_counted_comes_with_its_outcome(engine)


@pytest.mark.skipif(sys.platform != "linux", reason="what a process maps is read from /proc")
def test_children_share_the_arrays_and_cannot_change_each_others(engine: Engine, evaluator: Misbehaving) -> None:
    first, second = ({each.path for each in child.memory_maps()} for child in _children())
    assert [path for path in first & second if path.startswith(tempfile.gettempdir()) and not Path(path).exists()]
    total = float(evaluator.values.sum())
    outcomes = promises.run_all(engine, [job(1, "write"), job(2, "write")])
    assert [outcomes[number].status for number in (1, 2)] == ["done", "done"]
    assert float(evaluator.values.sum()) == total > 0


def test_ctrl_c_is_the_parents_alone(engine: Engine) -> None:
    for child in _children():
        child.send_signal(signal.SIGINT)
    outcomes = promises.run_all(engine, [job(number) for number in range(4)])
    assert [outcome.error for outcome in outcomes.values()] == [None] * 4


def test_a_trial_that_goes_wrong_is_one_failed_trial_with_its_reason_and_its_costs(engine: Engine) -> None:
    outcomes = promises.a_trial_that_goes_wrong_is_one_failed_trial_with_its_reason(engine, TIMEOUT_S)
    for number in (0, 2):
        assert (outcomes[number].costs["forward"], outcomes[number].costs["backward"]) == (2, 1)
    assert 0.01 * TIMEOUT_S < outcomes[2].costs["device_seconds"] < 2 * TIMEOUT_S, "busy, on a busy machine"


def test_an_idle_child_that_is_killed_is_replaced_and_costs_no_trial(engine: Engine) -> None:
    promises.run_all(engine, [job(1)])
    killed = _children()[0]
    killed.kill()
    while killed.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    outcomes = promises.run_all(engine, [job(number) for number in range(4)])
    assert [outcome.error for outcome in outcomes.values()] == [None] * 4


def test_a_child_that_dies_with_a_job_that_it_has_not_begun_costs_no_trial(engine: Engine) -> None:
    promises.run_all(engine, [job(1)])
    for child in _children():
        child.suspend()
    engine.submit(job(2))
    for child in _children():
        child.kill()
    outcome = engine.next()
    assert (outcome.number, outcome.error) == (2, None)


def test_closing_ends_the_children_in_the_middle_of_a_trial_and_may_be_done_twice(engine: Engine) -> None:
    engine.submit(job(1, "hang"))
    engine.close()
    assert _children() == []
    engine.close()


class NeverReady:
    """Stands for a child that dies while it loads."""

    n_made, seconds_left = 0, 0.0

    def __init__(self, *_: object) -> None:
        NeverReady.n_made += 1
        self.job: Job | None = None
        self.pipe, self._other_end = multiprocessing.Pipe()

    def give(self, job: Job) -> None:
        self.job = job

    def outcome(self) -> Outcome | None:
        raise WorkerDiedEarlyError("the worker died (exit status 7)")


def test_children_that_never_get_ready_end_the_search_after_three_and_cost_no_trial(
    monkeypatch: pytest.MonkeyPatch, evaluator: Misbehaving
) -> None:
    monkeypatch.setattr("audionas.search.engines.process_pool.WorkerProcess", NeverReady)
    engine = make_engine("process_pool", evaluator, EngineOptions(1))
    engine.submit(job(1))
    error = r"a worker died 3 times before it was ready: the worker died \(exit status 7\); .* go on with --resume"
    with pytest.raises(RunError, match=error):
        engine.next()
    assert NeverReady.n_made == 3
    engine.close()


def test_of_several_gpus_each_child_sees_one_and_they_are_dealt_evenly(
    monkeypatch: pytest.MonkeyPatch, evaluator: Misbehaving
) -> None:
    monkeypatch.setattr("audionas.search.engines.process_pool.cards_of", lambda _: ["4", "7"])
    engine = make_engine("process_pool", evaluator, EngineOptions(2))
    outcomes = promises.run_all(engine, [job(number, "tell_card") for number in range(2)])
    engine.close()
    assert sorted(str(outcome.error) for outcome in outcomes.values()) == ["ValueError: card 4", "ValueError: card 7"]


def test_what_cannot_be_sent_is_refused_in_one_line() -> None:
    class Local:
        def evaluate(self, genotype: Genotype, *, epochs: int, seed: int) -> Score:
            raise NotImplementedError

    with pytest.raises(SettingsError, match=r"Local cannot be sent to another process .* --engine in_process"):
        make_engine("process_pool", Local(), EngineOptions(2))


def _children() -> list[psutil.Process]:
    """Children of this process that serve an engine."""
    found = []
    for child in psutil.Process().children():
        if child.status() != psutil.STATUS_ZOMBIE and "spawn_main" in " ".join(child.cmdline()):
            found.append(child)
    return found
