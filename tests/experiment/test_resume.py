"""A killed search goes on, and ends bit for bit where the uninterrupted one would have."""

from __future__ import annotations

import json
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

from tests.cli.running import refused, run
from tests.forked import Forked, forked_command

EPOCHS = 6
MANY_EPOCHS = 150  # an epoch takes milliseconds, and Ctrl-C must come in one
Words = Callable[..., list[str]]


def _finish(*words: str | Path) -> None:
    found = run(*words)
    assert found.code == 0, found.err


def _epochs(run: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (run / "epochs.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


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
    _finish(*search_words(whole, "--epochs", str(EPOCHS)))

    words = search_words(torn, "--epochs", str(EPOCHS))
    assert forked_command(tmp_path, *words, dies_at_save=2).finish() == -signal.SIGKILL
    assert len(_epochs(torn)) == 2, "the second epoch was logged, its checkpoint was not written"
    assert torch.load(torn / "checkpoint" / "last.pt", weights_only=True)["epoch"] == 1

    second = forked_command(tmp_path, "search", "--resume", torn)
    second.wait_for_lines(torn / "epochs.jsonl", random.randrange(2, EPOCHS))
    time.sleep(random.random() * 0.05)
    second.kill()

    _finish("search", "--resume", torn)
    _same_end(whole, torn)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ctrl_c_leaves_a_run_that_resume_finishes(tmp_path: Path, search_words: Words) -> None:
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    _finish(*search_words(whole, "--epochs", str(MANY_EPOCHS)))
    words = [sys.executable, "-m", "audionas", *search_words(torn, "--epochs", str(MANY_EPOCHS))]
    process = subprocess.Popen(words, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    log = torn / "epochs.jsonl"
    while process.poll() is None and not (log.exists() and log.read_bytes().count(b"\n") >= 2):
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, talk = process.communicate(timeout=60)
    assert process.returncode == 130, talk
    assert "Traceback" not in talk
    assert json.loads((torn / "run.json").read_text())["status"] == "interrupted"
    _finish("search", "--resume", torn)
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
    _finish(*search_words(whole, *more))
    _kill_at(forked_command(tmp_path, *search_words(torn, *more)), torn / "trials.jsonl", 5)
    _finish("search", "--resume", torn)

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
    _finish(*search_words(whole, *more))
    _kill_at(forked_command(tmp_path, *search_words(torn, *more)), torn / "retests.jsonl", 3)
    before = [line for line in (torn / "retests.jsonl").read_text().splitlines() if "finished" in line]
    assert 1 <= len(before) < 4, "killed within the re-test"
    _finish("search", "--resume", torn)

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
def test_a_killed_retraining_goes_on_and_gives_the_same_predictions(tmp_path: Path, searched: Path) -> None:
    other, torn = tmp_path / "other", tmp_path / "torn"
    words = ["retrain", searched, "--epochs", "5", "--seeds", "1", "--threads", "1", "--select", "best", "--out"]
    _finish(*words, other)
    process = forked_command(tmp_path, *words, torn)
    _kill_at(process, torn / "split_2" / "seed_0" / "history.jsonl", 2)
    _finish("retrain", "--resume", torn)
    for split in "123":
        place = Path(f"split_{split}") / "seed_0" / "predictions.csv"
        assert (other / place).read_text() == (torn / place).read_text()


@pytest.mark.slow
def test_two_processes_cannot_work_on_one_run(tmp_path: Path, search_words: Words) -> None:
    process = forked_command(tmp_path, *search_words(tmp_path / "run", "--epochs", "2000"))
    process.wait_for_lines(tmp_path / "run" / "epochs.jsonl", 1)
    line = refused("search", "--resume", tmp_path / "run")
    process.kill()
    assert "another process is working on this run" in line


def _kill_at(process: Forked, log: Path, n_lines: int) -> None:
    process.wait_for_lines(log, n_lines)
    assert process.kill() == -signal.SIGKILL, "it ended before it could be killed"
