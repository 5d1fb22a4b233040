"""Restarts and rankings that were killed (SIGKILL) go on, and end where the uninterrupted ones end."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Words = Callable[..., list[str]]


def _start(words: list[str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "audionas", *words]
    return subprocess.Popen(command, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def _finish(words: list[str]) -> None:
    process = _start(words)
    _, talk = process.communicate(timeout=240)
    assert process.returncode == 0, talk


def _kill_at(process: subprocess.Popen[str], log: Path, n_lines: int) -> None:
    while process.poll() is None and (not log.exists() or log.read_bytes().count(b"\n") < n_lines):
        time.sleep(0.005)
    assert process.poll() is None, "it ended before it could be killed"
    process.kill()
    process.communicate()


def _lines(log: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_search_killed_in_its_second_restart_does_not_repeat_the_first(tmp_path: Path, search_words: Words) -> None:
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    more = ["--epochs", "30", "--restarts", "2"]
    _finish(search_words(whole, *more))
    process = _start(search_words(torn, *more))
    _kill_at(process, torn / "restart_2" / "epochs.jsonl", 2)
    finished = (torn / "restart_1" / "run.json").read_bytes()
    _finish(["search", "--resume", str(torn)])
    assert (torn / "restart_1" / "run.json").read_bytes() == finished
    for name in ("restart_1", "restart_2"):
        assert _lines(torn / name / "epochs.jsonl") == _lines(whole / name / "epochs.jsonl")
    records = [json.loads((run / "run.json").read_text()) for run in (whole, torn)]
    assert records[0]["decided"] == records[1]["decided"]
    assert records[1]["status"] == "done"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_ranking_goes_on_at_the_next_genotype(tmp_path: Path, search_words: Words) -> None:
    run, whole, torn = tmp_path / "run", tmp_path / "whole", tmp_path / "torn"
    _finish(search_words(run, "--epochs", "2"))
    words = ["rank", str(run), "--genotypes", "6", "--epochs", "6"]
    _finish([*words, "--out", str(whole)])
    _kill_at(_start([*words, "--out", str(torn)]), torn / "genotypes.jsonl", 2)
    _finish(["rank", "--resume", str(torn)])
    assert _lines(torn / "genotypes.jsonl") == _lines(whole / "genotypes.jsonl")
    assert (torn / "ranking.json").read_text() == (whole / "ranking.json").read_text()
