"""Restarts and rankings that were killed (SIGKILL) go on, and end where the uninterrupted ones end."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import run
from tests.forked import Forked, forked_command

Words = Callable[..., list[str]]


def _finish(*words: str | Path) -> None:
    found = run(*words)
    assert found.code == 0, found.err


def _kill_at(process: Forked, log: Path, n_lines: int) -> None:
    process.wait_for_lines(log, n_lines)
    assert process.kill() == -signal.SIGKILL, "it ended before it could be killed"


def _lines(log: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_search_killed_in_its_second_restart_does_not_repeat_the_first(tmp_path: Path, search_words: Words) -> None:
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    more = ["--epochs", "12", "--restarts", "2"]
    _finish(*search_words(whole, *more))
    _kill_at(forked_command(tmp_path, *search_words(torn, *more)), torn / "restart_2" / "epochs.jsonl", 2)
    finished = (torn / "restart_1" / "run.json").read_bytes()
    _finish("search", "--resume", torn)
    assert (torn / "restart_1" / "run.json").read_bytes() == finished
    for name in ("restart_1", "restart_2"):
        assert _lines(torn / name / "epochs.jsonl") == _lines(whole / name / "epochs.jsonl")
    records = [json.loads((run / "run.json").read_text()) for run in (whole, torn)]
    assert records[0]["decided"] == records[1]["decided"]
    assert records[1]["status"] == "done"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_ranking_goes_on_at_the_next_genotype(tmp_path: Path, searched: Path) -> None:
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    words = ["rank", searched, "--genotypes", "5", "--epochs", "4", "--out"]
    _finish(*words, whole)
    _kill_at(forked_command(tmp_path, *words, torn), torn / "genotypes.jsonl", 2)
    _finish("rank", "--resume", torn)
    assert _lines(torn / "genotypes.jsonl") == _lines(whole / "genotypes.jsonl")
    assert (torn / "ranking.json").read_text() == (whole / "ranking.json").read_text()
