"""`audionas fuse`: its table, and what it refuses, in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Workshop
from tests.cli.running import refused, run


@pytest.mark.parametrize(
    "words,error",
    [
        (("one",), "fusion needs two runs or more, got 1: audionas fuse RUN_A RUN_B"),
        (("one", "two"), "one: no such run folder"),
        (("one", "two", "--epochs", "many"), "--epochs: got 'many', must be a whole number or 'chosen'"),
        (("one", "two", "--epochs", "0"), "--epochs: got 0, must be 1 or more, or chosen"),
        (("one", "two", "--epochs", "chosen", "--paper"), "--epochs chosen: with --paper the validation part chooses"),
        (("one", "two", "--class-weighting", "yes"), "--class-weighting: got 'yes'; accepted: balanced, none"),
    ],
)
def test_a_wrong_request_is_one_line_and_writes_nothing(tmp_path: Path, words: tuple[str, ...], error: str) -> None:
    assert error in refused("fuse", *words, cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_runs_is_wrong_usage() -> None:
    assert run("fuse").code == 2


@pytest.mark.slow
def test_the_table_has_a_line_a_system_and_a_conclusion(workshop: Workshop) -> None:
    lines = workshop.outcomes["fuse"].out.splitlines()
    assert lines[0].startswith("run: runs/")
    assert lines[0].endswith("-fused")
    assert "no interval from 2 groups: it takes 4" in lines[1]
    names = ["runs/spectrogram", "runs/frames", "fusion MLP", "averaging", "temperature-scaled averaging", "product"]
    assert [line.split("  ")[0] for line in lines[2:8]] == names
    assert all("  UA 0." in line and "  WA 0." in line and line.endswith(" parameters") for line in lines[2:8])
    assert "+ 128 = " in lines[4]
    assert lines[8].startswith("The fusion MLP is not shown to be better, by UA, than ")
    assert " No claim about speakers is possible from 2 groups: it takes 6" in lines[8]
    assert lines[9].endswith("corrected by Holm's method")
    assert len(lines) == 10


@pytest.mark.slow
def test_a_retraining_without_inner_folds_is_refused(workshop: Workshop) -> None:
    line = refused("fuse", "runs/first", "runs/frames", cwd=workshop.folder)
    assert "runs/first/retrained: no inner out-of-fold predictions" in line
