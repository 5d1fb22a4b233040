"""The promises of the process pool, kept on a Ray cluster that is running already and on one made for the run."""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path

import pytest

from audionas.errors import RunError, SettingsError
from audionas.search.engines import EngineOptions, make_engine
from audionas.search.evaluator import TrainingEvaluator
from audionas.search.run import run_search
from audionas.search.strategy import strategy_from_settings
from audionas.search.trials import TrialLog
from tests.search.engines import promises
from tests.search.engines.trials_that_go_wrong import SPACE, job

ray = pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
ROOT = Path(__file__).parents[3]
TIMEOUT_S = 4.0
GONE_S = 60.0  # a worker ends when it sees that its raylet has, which on a busy machine takes a moment
# On a busy machine Ray's own agents are late, and Ray then gives up.
PATIENCE = {"RAY_agent_register_timeout_ms": "600000", "RAY_worker_register_timeout_seconds": "600"}


@pytest.fixture(autouse=True)
def _workers_find_the_tests(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(ROOT)  # Ray adds it to the workers' path
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name, value in PATIENCE.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "trials").mkdir()


def scores(folder: Path, engine: str, options: EngineOptions) -> dict[str, float]:
    """UA by genotype, of a small search."""
    budget = {"trials": 6, "epochs": 1}
    settings = {"algorithm": "random", "parts": {"train": 0.75, "validation": 0.25}, "budget": budget, "retest": 0}
    strategy = strategy_from_settings({**settings, "objective": "ua"}, "mine", "mine.yaml")
    trials = folder.parent / "trials"
    evaluator = promises.evaluator_of(trials, deeds={-1: "score"})
    run_search(SPACE, strategy, evaluator, engine, seed=3, run=folder, options=options)  # type: ignore[arg-type]
    finished = TrialLog(folder / "trials.jsonl").finished.values()
    return {trial.hash: trial.score.ua for trial in finished if trial.score is not None}


def alive(pids: set[int]) -> list[int]:
    """Those that are still there; nothing is known of them but on Linux."""
    return [pid for pid in pids if Path(f"/proc/{pid}").exists() and sys.platform == "linux"]


def test_a_running_cluster_keeps_the_promises_and_searches(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "object_store_memory": 2**27})
    try:
        options = EngineOptions(2, TIMEOUT_S, cluster.address)
        evaluator = promises.evaluator_of(tmp_path / "trials")
        engine = make_engine("ray", evaluator, options)
        promises.a_trial_is_scored_as_it_would_be_here(engine, evaluator)
        promises.a_worker_has_one_thread_flushes_denormals_and_has_not_imported_nni(engine)
        promises.what_a_trial_counted_comes_with_its_outcome(engine)
        promises.a_trial_that_goes_wrong_is_one_failed_trial_with_its_reason(engine, TIMEOUT_S)
        engine.submit(job(1, "hang"))
        engine.close()
        engine.close()
        assert not ray.is_initialized()
        assert capfd.readouterr().out == "", "standard output is the result's"
        with pytest.raises(RunError, match=r"--workers 3: the cluster at .* has 2 processors"):
            make_engine("ray", evaluator, EngineOptions(3, None, cluster.address))
        found = scores(tmp_path / "there", "ray", EngineOptions(2, None, cluster.address))
        assert found == scores(tmp_path / "here", "in_process", EngineOptions())
        assert len(found) == 6
    finally:
        cluster.shutdown()


def test_a_cluster_made_for_the_run_searches_and_is_gone_afterwards(tmp_path: Path) -> None:
    found = scores(tmp_path / "there", "ray", EngineOptions(2))
    assert not ray.is_initialized()
    assert found == scores(tmp_path / "here", "in_process", EngineOptions())
    pids = {int(path.read_text().split()[0]) for path in (tmp_path / "trials").glob("trial_*")}
    assert os.getpid() not in pids
    deadline = time.monotonic() + GONE_S
    while (left := alive(pids)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left


def test_a_cluster_that_cannot_be_started_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def init(*_: object, **__: object) -> None:
        raise RuntimeError("no room\nfor it")

    monkeypatch.setattr(ray, "init", init)
    with pytest.raises(RunError, match=r"no cluster could be started here \(no room\); .* --engine process_pool"):
        make_engine("ray", promises.evaluator_of("."), EngineOptions(2))


def test_no_cluster_at_an_address_is_one_line() -> None:
    with pytest.raises(RunError, match=r"--address 127\.0\.0\.1:9: no Ray cluster answers there .* `ray start --head`"):
        make_engine("ray", promises.evaluator_of("."), EngineOptions(2, None, "127.0.0.1:9"))


def test_a_cluster_that_does_not_let_the_search_in_is_one_line_that_names_the_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def init(*_: object, **__: object) -> None:
        raise ConnectionError("Failed to connect to Ray cluster at 127.0.0.1")  # all that Ray 2.60 says of it

    monkeypatch.setattr(ray, "init", init)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(RunError, match=r"asks for a token .* set RAY_AUTH_MODE=token here too$"):
            make_engine("ray", promises.evaluator_of("."), EngineOptions(2, None, address))


def test_a_gpu_is_refused_in_one_line() -> None:
    evaluator = TrainingEvaluator(None, None, "cuda")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="--engine ray: its workers train on processors, got --device cuda"):
        make_engine("ray", evaluator, EngineOptions(2))
