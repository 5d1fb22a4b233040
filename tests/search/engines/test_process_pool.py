"""Child processes: what a trial does to its process is that trial's end alone, and no child outlives the search."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from audionas.errors import RunError, SettingsError
from audionas.search.engines import Engine, EngineOptions, make_engine
from audionas.search.evaluator import Score
from audionas.spaces import Genotype
from tests.search.engines import promises
from tests.search.engines.trials_that_go_wrong import Misbehaving, job

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]
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


def test_children_share_the_arrays_and_cannot_change_each_others(engine: Engine, evaluator: Misbehaving) -> None:
    children = _children()
    assert len(children) == 2
    maps = [{each.path for each in child.memory_maps() if "(deleted)" in each.path} for child in children]
    assert maps[0] & maps[1], "one file without a name is mapped by both"
    total = float(evaluator.values.sum())
    done = promises.run_all(engine, [job(1, "write"), job(2, "write"), job(3)])
    assert evaluator.values.sum() == total
    assert {done[1].status, done[2].status} == {"done"}


def test_a_trial_that_goes_wrong_is_one_failed_trial_with_its_reason(engine: Engine) -> None:
    promises.a_trial_that_goes_wrong_is_one_failed_trial_with_its_reason(engine, TIMEOUT_S)


def test_a_killed_trial_has_its_costs_too(engine: Engine) -> None:
    hung = promises.run_all(engine, [job(1, "hang")])[1]
    assert (hung.costs["forward"], hung.costs["backward"]) == (2, 1)
    assert 0.02 * TIMEOUT_S < hung.costs["device_seconds"] < 3 * TIMEOUT_S, "it was busy, on a busy machine"


def test_an_idle_child_that_is_killed_is_replaced_and_costs_no_trial(engine: Engine) -> None:
    promises.run_all(engine, [job(1)])
    for child in _children():
        child.kill()
        child.wait(10)
    assert promises.run_all(engine, [job(2)])[2].status == "done"


def test_closing_ends_the_children_in_the_middle_of_a_trial_and_may_be_done_twice(engine: Engine) -> None:
    engine.submit(job(1, "hang"))
    engine.close()
    assert _children() == []
    engine.close()


class Unloadable:
    """Cannot be made in a child."""

    def __reduce__(self) -> tuple[object, ...]:
        return os._exit, (7,)

    def evaluate(self, genotype: Genotype, *, epochs: int, seed: int) -> Score:
        raise NotImplementedError


def test_children_that_never_get_ready_end_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audionas.search.engines.process_pool.N_STARTS", 1)
    engine = make_engine("process_pool", Unloadable(), EngineOptions(1))
    engine.submit(job(1))
    with pytest.raises(RunError, match=r"a worker died .* times before it was ready: the worker died \(exit status 7"):
        engine.next()
    engine.close()


ORPHANS = """
import sys
from pathlib import Path
from audionas.search.engines import EngineOptions, make_engine
from tests.search.engines import promises
from tests.search.engines.trials_that_go_wrong import job
if __name__ == "__main__":
    engine = make_engine("process_pool", promises.evaluator_of(sys.argv[1]), EngineOptions(2))
    engine.submit(job(1, "hang"))
    engine.submit(job(2))
    engine.next()
    print("ready", flush=True)
    try:
        engine.next()
    except KeyboardInterrupt:
        engine.close()
        print("closed", flush=True)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_no_child_outlives_its_parent_and_ctrl_c_is_the_parents_alone(tmp_path: Path, how: signal.Signals) -> None:
    (tmp_path / "orphans.py").write_text(ORPHANS)
    parent = subprocess.Popen(
        [sys.executable, tmp_path / "orphans.py", tmp_path], text=True, start_new_session=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert parent.stdout is not None
    assert parent.stdout.readline() == "ready\n"
    children = [child for child in psutil.Process(parent.pid).children() if "spawn_main" in " ".join(child.cmdline())]
    assert len(children) == 2
    if how == signal.SIGKILL:
        parent.kill()
    else:
        os.killpg(parent.pid, how)  # as a terminal does: to all of them
    said, complaints = parent.communicate(timeout=60)
    assert (said, complaints) == ("closed\n" if how == signal.SIGINT else "", "")
    gone, alive = psutil.wait_procs(children, timeout=30)
    assert (len(gone), alive) == (2, [])


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
