"""Folders that hold no stream to fuse, and what to do about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from audionas.errors import RunError
from audionas.experiment.fuse_streams import find_streams
from audionas.experiment.run_folder import RunFolder


def test_a_search_that_was_stopped_is_to_be_finished_before_it_is_retrained(tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "run", "search", ["search"]).save(status="interrupted")
    words = (
        r"run: this search is not finished \(interrupted\); audionas search --resume .*run, then audionas retrain .*run"
    )
    with pytest.raises(RunError, match=words):
        find_streams([tmp_path / "run", tmp_path / "run"])


def test_a_finished_search_is_to_be_retrained(tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "run", "search", ["search"]).save(status="done")
    with pytest.raises(RunError, match=r"run: holds no retraining; run audionas retrain .* --inner-folds 3"):
        find_streams([tmp_path / "run", tmp_path / "run"])
