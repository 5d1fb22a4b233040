"""A front of another form is one clear line; a sound one is given back as it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from audionas.errors import AudionasError
from audionas.report.front_file import read_front
from tests.report.run_folders import write_trials

PageOf = Callable[[Path], str]
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
def test_a_front_of_another_form_is_one_line(tmp_path: Path, document: Any, why: str, words_of: PageOf) -> None:
    run = write_trials(tmp_path / "run")
    (run / "front.json").write_text(json.dumps(document))
    with pytest.raises(AudionasError, match=rf"front.json: {why}"):
        read_front(run / "front.json")
    assert f"front.json: {why}" in unescape(words_of(run))


def test_a_line_torn_in_a_finished_run_is_told_and_the_lines_before_it_are_shown(
    tmp_path: Path, words_of: PageOf
) -> None:
    run = write_trials(tmp_path / "run")
    log = run / "trials.jsonl"
    log.write_text(log.read_text()[:-9])
    html = words_of(run)
    assert "trials.jsonl: line 27 is torn: it has no end" in html
    assert "shown are the 26 lines before it" in html
    assert "Trials by UA (12 done, 1 failed)" in html, "the 14th trial is lost with its line"
