"""Where trials run is on record, may be changed on resuming, and is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from audionas.errors import SettingsError
from audionas.experiment.run_folder import RunFolder
from audionas.experiment.search_engine import (
    EngineRequest,
    change_engine,
    engine_fields,
    engine_line,
    engine_options,
    engine_threads,
)
from audionas.search.engines import EngineOptions

POOL = {"engine": "process_pool", "engine_options": {"workers": 3, "timeout_s": 30.0, "address": None}}


def test_the_default_engine_is_on_record_without_options() -> None:
    fields = engine_fields(EngineRequest(), "random", "multi-trial")
    assert fields == {"engine": "in_process"}
    assert engine_options(fields) == EngineOptions() == engine_options({"engine": "in_process", "seed": 0})


def test_a_pool_has_two_workers_or_what_is_asked_for() -> None:
    asked = EngineRequest("process_pool", 3, 30.0)
    assert engine_fields(asked, "random", "multi-trial") == POOL
    assert engine_options(POOL) == EngineOptions(3, 30.0)
    default = engine_fields(EngineRequest("process_pool"), "random", "multi-trial")
    assert engine_options(default) == EngineOptions(2)


def test_what_does_not_go_together_is_refused() -> None:
    with pytest.raises(SettingsError, match="--engine in_process: runs one trial after another"):
        engine_fields(EngineRequest(workers=2), "random", "multi-trial")
    with pytest.raises(SettingsError, match="strategy 'darts' is one-shot"):
        engine_fields(EngineRequest("process_pool"), "darts", "one-shot")


def test_a_worker_has_one_thread() -> None:
    assert engine_threads({"engine": "in_process"}, 4) == 4
    assert engine_threads({"engine": "in_process"}, None) is None
    assert engine_threads(POOL, None) == engine_threads(POOL, 1) == 1
    with pytest.raises(SettingsError, match="--threads: got 4; a worker of --engine process_pool has one, take more"):
        engine_threads(POOL, 4)


@pytest.mark.parametrize(
    "given,then",
    [
        (EngineRequest(workers=8), EngineRequest("process_pool", 8, 30.0)),
        (EngineRequest("process_pool", timeout_s=5.0), EngineRequest("process_pool", 3, 5.0)),
        (EngineRequest("in_process"), EngineRequest("in_process")),
        (EngineRequest("ray", address="auto"), EngineRequest("ray", None, None, "auto")),
    ],
)
def test_a_resumed_search_keeps_what_is_on_record_unless_it_goes_to_another_engine(
    given: EngineRequest, then: EngineRequest
) -> None:
    assert given
    assert not EngineRequest()
    assert given.beside(POOL) == then


def test_a_change_reaches_the_searches_inside_that_are_not_done(tmp_path: Path) -> None:
    outer = RunFolder.create(tmp_path / "run", "nested_search", [], **POOL)
    inner = [RunFolder.create(outer.path / f"split_{k}", "search", [], **POOL) for k in (1, 2)]
    inner[0].save(status="done")
    other = RunFolder.create(outer.path / "retrained", "retrain", [], engine="mine")
    change_engine(outer, {"engine": "in_process"})
    assert RunFolder.open(outer.path).record["engine"] == outer.record["engine"] == "in_process"
    assert "engine_options" not in RunFolder.open(outer.path).record
    found = [RunFolder.open(run.path).record["engine"] for run in (*inner, other)]
    assert found == ["process_pool", "in_process", "mine"]


def test_a_person_is_told_where_trials_run() -> None:
    assert engine_line(POOL) == "engine: process_pool, 3 workers with one thread each, each trial for 30 s at most"
    ray = {"engine": "ray", "engine_options": {"workers": 1, "timeout_s": None, "address": "auto"}}
    assert engine_line(ray) == "engine: ray at auto, 1 worker with one thread each"


@pytest.mark.parametrize(
    "options,why",
    [
        ({"wrokers": 2}, r"unknown key 'wrokers' \(did you mean 'workers'\?\)"),
        ({"workers": "2"}, "workers: got '2', must be a whole number"),
        ({"workers": 2, "timeout_s": -1}, "timeout_s: got -1, must be above 0"),
        ([2], "must be a mapping|got .*, must be a mapping"),
    ],
)
def test_engine_options_that_were_edited_are_one_line(options: object, why: str) -> None:
    record = {"engine": "process_pool", "engine_options": options}
    with pytest.raises(SettingsError, match=f"run.json: engine_options: .*{why}"):
        engine_options(record)
    with pytest.raises(SettingsError, match=f"run.json: engine_options: .*{why}"):
        EngineRequest().beside(record)
