"""`audionas rank`: every wrong request is one line and writes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import refused


@pytest.mark.parametrize(
    "words,error",
    [
        ((), "nothing to rank: name the run folder of a one-shot search"),
        (("no_such_run",), "no_such_run: no such run folder"),
        (("--genotypes", "1", "run"), "--genotypes: got 1, must be 2 or more"),
        (("--epochs", "0", "run"), "--epochs: got 0, must be 1 or more"),
        (("--resume", "none"), "none: no such run folder"),
        (("run", "--resume", "none"), "--resume takes nothing else"),
    ],
)
def test_a_wrong_request_is_one_line_and_writes_nothing(tmp_path: Path, words: tuple[str, ...], error: str) -> None:
    assert error in refused("rank", *words, cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []
