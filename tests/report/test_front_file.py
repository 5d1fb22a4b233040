"""A front of another form is one clear line; a sound one is given back as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from audionas.errors import AudionasError, RunError
from audionas.report.front_file import read_front
from audionas.report.page import write_report
from tests.report.run_folders import write_trials

POINT = {"file": "front/1.json", "trial": 3, "hash": "5f", "ua": 0.5, "parameters": 1200}
FRONT: dict[str, Any] = {
    "schema_version": 1, "objective": "ua", "costs": ["parameters"], "compared": 9, "points": [POINT]
}  # fmt: skip


def test_a_sound_front_is_given_back_as_it_is(tmp_path: Path) -> None:
    assert read_front(tmp_path / "front.json") is None
    (tmp_path / "front.json").write_text(json.dumps(FRONT))
    assert read_front(tmp_path / "front.json") == FRONT


@pytest.mark.parametrize(
    "document,why",
    [
        ([FRONT], "not a front: expected a JSON object, got list; restore the file, or search anew"),
        ({**FRONT, "costs": "parameters"}, "not a front: costs: got 'parameters', must be a list"),
        ({key: value for key, value in FRONT.items() if key != "costs"}, "not a front: key 'costs' is missing"),
        ({**FRONT, "points": [{**POINT, "trial": "3"}]}, "not a front: points.0.trial: got '3', must be a whole"),
        ({**FRONT, "costs": ["macs"]}, "points.0: 'macs': got None, must be a number as the objective and every cost"),
        ({**FRONT, "points": [{**POINT, "ua": "best"}]}, "points.0: 'ua': got 'best', must be a number"),
    ],
)
def test_a_front_of_another_form_is_one_line(tmp_path: Path, document: Any, why: str) -> None:
    run = write_trials(tmp_path / "run")
    (run / "front.json").write_text(json.dumps(document))
    with pytest.raises(AudionasError, match=rf"front.json: {why}"):
        write_report(run)


def test_a_line_torn_in_a_finished_run_ends_the_report_in_one_line(tmp_path: Path) -> None:
    run = write_trials(tmp_path / "run")
    log = run / "trials.jsonl"
    log.write_text(log.read_text()[:-9])
    with pytest.raises(RunError, match=r"trials.jsonl: line 27 is torn"):
        write_report(run)
