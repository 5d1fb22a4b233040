"""A search of 40 trials outlives a killed worker, a NaN, a trial that hangs, and the death of the whole search."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from audionas.search.algorithms import ALGORITHMS
from audionas.seeding import derive

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
ROOT = Path(__file__).parents[2]
ALGORITHM = "regularized_evolution" if "regularized_evolution" in ALGORITHMS else "random"
SEED, TRIALS, TIMEOUT_S = 11, 40, 4.0
DEEDS = {3: "die", 6: "nan", 9: "hang", 25: "kill the search"}
ERRORS = {
    3: "the worker died (signal 9); perhaps out of memory",
    6: "a score is not finite: ua is nan",
    9: f"stopped after {TIMEOUT_S:g} s (--timeout)",
}
DRIVER = """
import json, sys
from pathlib import Path
import numpy as np
from audionas.search.engines import EngineOptions
from audionas.search.run import run_search
from audionas.search.strategy import strategy_from_settings
from tests.search.engines.trials_that_go_wrong import SPACE, Misbehaving
if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    deeds = {int(seed): deed for seed, deed in given["deeds"].items()}
    evaluator = Misbehaving(Path(given["trials"]), np.ones(10), deeds)
    strategy = strategy_from_settings(given["strategy"], "mine", "mine.yaml")
    run_search(SPACE, strategy, evaluator, "process_pool", seed=given["seed"], run=Path(given["run"]),
               options=EngineOptions(2, given["timeout_s"]))
"""


def settings(folder: Path) -> dict[str, Any]:
    strategy = {
        "algorithm": ALGORITHM, "parts": {"train": 0.75, "validation": 0.25}, "objective": "ua", "retest": 0,
        "budget": {"trials": TRIALS, "epochs": 1},
    }  # fmt: skip
    deeds = {str(derive(SEED, "trial", number)): deed for number, deed in DEEDS.items()}
    places = {"trials": str(folder / "trials"), "run": str(folder / "run")}
    return {"strategy": strategy, "deeds": deeds, "seed": SEED, "timeout_s": TIMEOUT_S, **places}


def search(folder: Path) -> tuple[int, str]:
    """Exit code and complaints."""
    (folder / "driver.py").write_text(DRIVER)
    done = subprocess.run(
        [sys.executable, folder / "driver.py", json.dumps(settings(folder))], text=True, capture_output=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "run" / "trials.jsonl").read_text().splitlines()]


def wait_for_the_end_of_workers(folder: Path) -> None:
    """No worker outlives its search, even if it was in the middle of a trial without an end."""
    found = []
    for pid in {int(word) for path in (folder / "trials").glob("trial_*") for word in path.read_text().split()}:
        with suppress(psutil.Error):
            process = psutil.Process(pid)
            found += [process] if "spawn_main" in " ".join(process.cmdline()) else []
    assert psutil.wait_procs(found, timeout=60)[1] == []


def test_40_trials_survive_a_killed_worker_a_nan_a_hang_and_the_death_of_the_search(tmp_path: Path) -> None:
    for name in ("trials", "run"):
        (tmp_path / name).mkdir()
    assert search(tmp_path)[0] == -signal.SIGKILL
    wait_for_the_end_of_workers(tmp_path)
    before = lines(tmp_path)
    finished_before = {line["number"] for line in before if line["event"] == "finished"}
    assert 20 <= len(finished_before) < TRIALS
    code, complaints = search(tmp_path)
    assert code == 0, complaints

    after = lines(tmp_path)
    assert after[: len(before)] == before, "nothing that was known is lost"
    events = Counter((line["event"], line["number"]) for line in after)
    assert events == {(event, number): 1 for event in ("proposed", "finished") for number in range(TRIALS)}
    assert len({line["hash"] for line in after if line["event"] == "proposed"}) == TRIALS
    errors = {line["number"]: line["error"] for line in after if line["event"] == "finished"}
    assert {number: error for number, error in errors.items() if error} == ERRORS

    ran = {number: _processes(tmp_path, number) for number in range(TRIALS)}
    assert {number: len(pids) for number, pids in ran.items() if number in finished_before} == dict.fromkeys(
        finished_before, 1
    ), "none that had finished was run twice"
    twice = [number for number, pids in ran.items() if len(pids) == 2]
    assert 25 in twice
    assert len(twice) <= 2, "what was under way when the search was killed"
    wait_for_the_end_of_workers(tmp_path)


def _processes(folder: Path, number: int) -> list[int]:
    return [int(word) for word in (folder / "trials" / f"trial_{derive(SEED, 'trial', number)}").read_text().split()]
