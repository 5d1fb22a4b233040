"""The page of a hand-made system names it, its paper, and what of it is not the paper's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from audionas.models.baselines import BASELINES
from audionas.report.blocks import Facts, Pictures, Table
from audionas.report.cell_sections import cells_section
from audionas.report.hand_made_sections import hand_made, hand_made_section
from audionas.report.run_files import Retraining, RunFiles, SearchRun
from audionas.report.trial_genotypes import chosen_settings
from audionas.report.trial_sections import trial_blocks
from audionas.report.verdict import title


def _files(document: dict[str, Any]) -> RunFiles:
    retraining = Retraining(Path("r"), {"data": {"root": "speech", "dataset": "csv"}}, None, (), {"1": document})
    return RunFiles(Path("r"), {"kind": "retrain", **retraining.run}, (), retraining)


def _rows(files: RunFiles) -> dict[str, str]:
    section = hand_made_section(files)
    assert section is not None
    (facts,) = section.blocks
    assert isinstance(facts, Facts)
    return dict(facts.rows)


def test_the_heading_and_the_section_name_the_system() -> None:
    files = _files({"kind": "baseline", "name": "plain_cnn", "settings": {"channels": [2, 3]}})
    assert title(files).startswith("Training of plain_cnn on ")
    rows = _rows(files)
    assert rows["system"] == "plain_cnn"
    assert rows["paper"] == "none, a plain system"
    assert rows["what it is"] == BASELINES["plain_cnn"].summary
    assert rows["channels"] == "2, 3"


def test_a_setting_that_is_not_the_papers_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    monkeypatch.setitem(BASELINES, "published", replace(BASELINES["plain_cnn"], paper="Somebody 2018"))
    rows = _rows(_files({"kind": "baseline", "name": "published", "settings": {"channels": [2]}}))
    assert rows["paper"] == "Somebody 2018"
    assert rows["channels"] == "2 (not the paper's)"
    assert "not" not in _rows(_files({"kind": "baseline", "name": "published", "settings": {}}))["channels"]


def test_classes_of_a_second_task_are_no_departure_from_the_paper() -> None:
    settings = {"second_labels": ["f", "m"], "second_weight": 0.5}
    rows = _rows(_files({"kind": "baseline", "name": "cnn_blstm", "settings": settings}))
    assert rows["second labels"] == "f, m"
    assert rows["second weight"] == "0.5 (not the paper's)"


def test_a_system_or_setting_of_another_version_is_told() -> None:
    assert "not known here" in _rows(_files({"kind": "baseline", "name": "of_later", "settings": {}}))
    assert (
        "unknown key 'a'" in _rows(_files({"kind": "baseline", "name": "plain_cnn", "settings": {"a": 1}}))["settings"]
    )


def test_a_found_genotype_is_none() -> None:
    assert hand_made(_files({"kind": "cnn_cell", "cells": {}})) is None
    assert hand_made_section(RunFiles(Path("r"), {}, (), None)) is None


def test_a_search_shows_the_settings_that_it_found() -> None:
    document = {"kind": "baseline", "name": "attention_pooling_cnn", "settings": {"filters": "2x8", "reduce": "sum"}}
    search = SearchRun(Path("s"), {"split": "1"}, (), (), document)
    section = hand_made_section(RunFiles(Path("s"), {"kind": "search"}, (search,), None))
    assert section is not None
    assert section.title == "The settings found"
    (facts,) = section.blocks
    assert isinstance(facts, Facts)
    assert dict(facts.rows)["filters"] == "2x8 (not the paper's)"
    assert cells_section(RunFiles(Path("s"), {"kind": "search"}, (search,), None), Pictures()) is None


def test_trials_over_settings_say_what_each_chose() -> None:
    events = (
        {"event": "proposed", "number": 0, "sample": {"filters": "2x8", "reduce": "sum"}, "hash": "a"},
        {"event": "proposed", "number": 1, "sample": {"filters": "4x2", "reduce": "sum"}, "hash": "b"},
    )
    found = SearchRun(Path("s"), {}, (), events, None, space={"kind": "baseline"})
    assert chosen_settings(found) == {0: "filters 2x8, reduce sum", 1: "filters 4x2, reduce sum"}
    table = next(block for block in trial_blocks(found, Pictures()) if isinstance(block, Table))
    assert table.head[:3] == ("trial", "settings", "status")
    assert chosen_settings(SearchRun(Path("s"), {}, (), events, None, space={"kind": "cnn_cell"})) == {}
