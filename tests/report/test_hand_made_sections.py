"""The page of a hand-made system names it, its paper, and what of it is not the paper's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from audionas.models.baselines import BASELINES
from audionas.report.blocks import Facts
from audionas.report.hand_made_sections import hand_made, hand_made_section
from audionas.report.run_files import Retraining, RunFiles
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


def test_a_system_or_setting_of_another_version_is_told() -> None:
    assert "not known here" in _rows(_files({"kind": "baseline", "name": "of_later", "settings": {}}))
    assert (
        "unknown key 'a'" in _rows(_files({"kind": "baseline", "name": "plain_cnn", "settings": {"a": 1}}))["settings"]
    )


def test_a_found_genotype_is_none() -> None:
    assert hand_made(_files({"kind": "cnn_cell", "cells": {}})) is None
    assert hand_made_section(RunFiles(Path("r"), {}, (), None)) is None
