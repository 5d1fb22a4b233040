"""A killed search goes on, and ends bit for bit where the uninterrupted one would have."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

EPOCHS = 6
Words = Callable[..., list[str]]
# Runs the command line; with KILL_AT_SAVE=n, dies by SIGKILL in the middle of the n-th checkpoint write.
DRIVER = """
import os, signal
from pathlib import Path
from audionas.cli import main
real, count = Path.write_bytes, [0]
def write_bytes(self, data):
    count[0] += "last.pt" in self.name
    if "last.pt" in self.name and count[0] == int(os.environ.get("KILL_AT_SAVE", "0")):
        real(self, data[: len(data) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
    return real(self, data)
Path.write_bytes = write_bytes
main()
"""


def _start(words: list[str], **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", DRIVER, *words], env=os.environ | env, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def _finish(words: list[str], **env: str) -> int:
    process = _start(words, **env)
    _, talk = process.communicate(timeout=240)
    assert process.returncode in (0, -signal.SIGKILL), talk
    return process.returncode


def _epochs(run: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (run / "epochs.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


def _wait_for_epochs(run: Path, n_epochs: int, process: subprocess.Popen[str]) -> None:
    while process.poll() is None:
        log = run / "epochs.jsonl"
        if log.exists() and log.read_bytes().count(b"\n") >= n_epochs:
            return
        time.sleep(0.005)


def _same_end(one: Path, other: Path) -> None:
    assert _epochs(one) == _epochs(other)
    genotypes = [json.loads((run / "genotype.json").read_text())["hash"] for run in (one, other)]
    assert genotypes[0] == genotypes[1]
    states = [torch.load(run / "checkpoint" / "last.pt", weights_only=True)["module"] for run in (one, other)]
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_search_killed_in_an_epoch_and_in_a_checkpoint_write_ends_bit_equal(
    tmp_path: Path, search_words: Words
) -> None:
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    assert _finish(search_words(whole, "--epochs", str(EPOCHS))) == 0

    assert _finish(search_words(torn, "--epochs", str(EPOCHS)), KILL_AT_SAVE="2") == -signal.SIGKILL
    assert len(_epochs(torn)) == 2, "the second epoch was logged, its checkpoint was not written"
    assert torch.load(torn / "checkpoint" / "last.pt", weights_only=True)["epoch"] == 1

    second = _start(["search", "--resume", str(torn)])
    _wait_for_epochs(torn, random.randrange(2, EPOCHS), second)
    time.sleep(random.random() * 0.05)
    second.kill()
    second.communicate()

    assert _finish(["search", "--resume", str(torn)]) == 0
    _same_end(whole, torn)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ctrl_c_leaves_a_run_that_resume_finishes(tmp_path: Path, search_words: Words) -> None:
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    assert _finish(search_words(whole, "--epochs", str(EPOCHS))) == 0
    process = _start(search_words(torn, "--epochs", str(EPOCHS)))
    _wait_for_epochs(torn, 2, process)
    process.send_signal(signal.SIGINT)
    _, talk = process.communicate(timeout=60)
    assert process.returncode == 130, talk
    assert "Traceback" not in talk
    assert json.loads((torn / "run.json").read_text())["status"] == "interrupted"
    assert _finish(["search", "--resume", str(torn)]) == 0
    assert json.loads((torn / "run.json").read_text())["status"] == "done"
    _same_end(whole, torn)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("strategy", ["random", "catalogue"])
def test_a_killed_multi_trial_search_goes_on_with_the_same_trials(
    tmp_path: Path, search_words: Words, strategy: str
) -> None:
    more = ["--strategy", strategy, "--trials", "6", "--epochs", "2"]
    if strategy == "catalogue":
        (tmp_path / "recipes.yaml").write_text(
            "kind: recurrent_catalogue\nfeatures: features.yaml\nstates: 2\nmacro: {hidden: 4}\n"
        )
        more += ["--space", str(tmp_path / "recipes.yaml")]
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    assert _finish(search_words(whole, *more)) == 0
    process = _start(search_words(torn, *more))
    while process.poll() is None and (
        not (torn / "trials.jsonl").exists() or (torn / "trials.jsonl").read_bytes().count(b"\n") < 5
    ):
        time.sleep(0.005)
    process.kill()
    process.communicate()
    assert _finish(["search", "--resume", str(torn)]) == 0

    def results(run: Path) -> dict[int, Any]:
        lines = [json.loads(line) for line in (run / "trials.jsonl").read_text().splitlines()]
        done = [line for line in lines if line["event"] == "finished"]
        assert len(done) == len({line["number"] for line in done}) == 6, "none lost, none run twice"
        return {line["number"]: (line["status"], line["score"]["ua"], line["score"]["loss"]) for line in done}

    assert results(whole) == results(torn)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("inner_folds", ["0", "2"])
def test_a_search_killed_in_its_re_test_ends_with_the_same_winner(
    tmp_path: Path, search_words: Words, inner_folds: str
) -> None:
    more = ["--strategy", "random", "--trials", "8", "--epochs", "2", "--inner-folds", inner_folds]
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    assert _finish(search_words(whole, *more)) == 0
    process = _start(search_words(torn, *more))
    while process.poll() is None and (
        not (torn / "retests.jsonl").exists() or (torn / "retests.jsonl").read_bytes().count(b"\n") < 3
    ):
        time.sleep(0.005)
    process.kill()
    process.communicate()
    before = [line for line in (torn / "retests.jsonl").read_text().splitlines() if "finished" in line]
    assert 1 <= len(before) < 4, "killed within the re-test"
    assert _finish(["search", "--resume", str(torn)]) == 0

    def results(run: Path) -> dict[int, Any]:
        lines = [json.loads(line) for line in (run / "retests.jsonl").read_text().splitlines()]
        done = [line for line in lines if line["event"] == "finished"]
        assert len(done) == len({line["number"] for line in done}) == 4, "none lost, none run twice"
        return {line["number"]: (line["status"], line["score"]["ua"], line["score"]["loss"]) for line in done}

    assert results(whole) == results(torn)
    records = [json.loads((run / "run.json").read_text()) for run in (whole, torn)]
    assert records[0]["winner"] == records[1]["winner"]
    assert records[0]["genotype_hash"] == records[1]["genotype_hash"]
    assert set(before) <= set((torn / "retests.jsonl").read_text().splitlines()), "finished ones are not repeated"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_retraining_goes_on_and_gives_the_same_predictions(tmp_path: Path, search_words: Words) -> None:
    run, other = tmp_path / "run", tmp_path / "other"
    assert _finish(search_words(run, "--epochs", "1")) == 0
    words = ["retrain", str(run), "--epochs", "5", "--seeds", "1", "--threads", "1", "--select", "best"]
    assert _finish([*words, "--out", str(other)]) == 0
    process = _start([*words, "--out", str(tmp_path / "torn")])
    while process.poll() is None and not list((tmp_path / "torn").glob("split_2/seed_0/history.jsonl")):
        time.sleep(0.005)
    time.sleep(0.1)
    process.kill()
    process.communicate()
    assert _finish(["retrain", "--resume", str(tmp_path / "torn")]) == 0
    for split in "123":
        place = Path(f"split_{split}") / "seed_0" / "predictions.csv"
        assert (other / place).read_text() == (tmp_path / "torn" / place).read_text()


@pytest.mark.slow
def test_two_processes_cannot_work_on_one_run(tmp_path: Path, search_words: Words) -> None:
    process = _start(search_words(tmp_path / "run", "--epochs", "2000"))
    _wait_for_epochs(tmp_path / "run", 1, process)
    rival = _start(["search", "--resume", str(tmp_path / "run")])
    _, talk = rival.communicate(timeout=60)
    process.kill()
    process.communicate()
    assert rival.returncode == 1
    assert "another process is working on this run" in talk
