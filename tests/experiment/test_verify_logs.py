"""A torn, foreign or edited line of a search's log does not pass `verify`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audionas.experiment.verify import verify

pytestmark = pytest.mark.slow  # the fixture searches


def told(run: Path) -> list[str]:
    return [str(mismatch).replace(str(run), "RUN") for mismatch in verify(run).mismatches]


def test_a_sound_log_passes_and_a_torn_or_foreign_line_is_told_with_its_number(searched: Path) -> None:
    log = searched / "epochs.jsonl"
    sound = log.read_text()
    assert told(searched) == []
    log.write_text(sound[:-20])
    assert [line for line in told(searched) if "epochs.jsonl: line 1 is torn" in line]
    log.write_text(sound + '{"hello": 1}\n')
    (line,) = told(searched)
    assert "epochs.jsonl: line 2 is none of this log: key 'epoch' is missing" in line
    log.write_text(sound)
    (searched / "evolution.jsonl").write_text("[1]\n")
    (line,) = told(searched)
    assert "evolution.jsonl: line 1 is not JSON (expected an object, got list)" in line


def test_an_architecture_that_has_not_the_hash_of_its_line_is_told(searched: Path) -> None:
    sample = {f"{cell}_n0_op{edge}": "skip_connect" for cell in ("normal", "reduce") for edge in (0, 1)}
    sample |= {f"{cell}_n0_in": "0+1" for cell in ("normal", "reduce")}
    line = {"event": "proposed", "number": 0, "hash": "5f0ffe67", "sample": sample, "epochs": 1, "seed": 1}
    (searched / "trials.jsonl").write_text(json.dumps(line) + "\n")
    (found,) = told(searched)
    assert found.startswith("./trials.jsonl: line 1, hash: stored '5f0ffe67', recomputed")
