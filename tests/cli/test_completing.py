"""What a shell offers at a tab: the names of the tables, without torch, in well under a second."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from audionas import shipped
from audionas.audio.protocols import PROTOCOLS
from audionas.cli import completing, names
from audionas.comparisons.plan import BASELINES as PLAIN_BASELINES
from audionas.datasets import DATASETS
from audionas.experiment.listing import SHELVES
from audionas.features import PRESETS, SHORT_FORMS
from audionas.models.baselines import BASELINES
from audionas.reproductions.hand_made_papers import PAPERS
from audionas.search.engines import ENGINES
from audionas.training.tasks import TASKS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("listed", "table"),
    [
        (names.FEATURES, PRESETS),
        (names.ENCODERS, SHORT_FORMS),
        (names.DATASETS, DATASETS),
        (names.BASELINES, BASELINES),
        (names.PLAIN_BASELINES, PLAIN_BASELINES),
        (names.PROTOCOLS, PROTOCOLS),
        (names.TASKS, TASKS),
        (names.ENGINES, ENGINES),
        (names.PAPERS, {"emotionnas", *PAPERS}),
        (names.SHELVES, SHELVES),
    ],
)
def test_the_names_that_are_completed_are_those_of_the_table(listed: tuple[str, ...], table: Iterable[str]) -> None:
    assert sorted(listed) == sorted(table)


def test_a_list_is_completed_at_its_end_and_offers_nothing_twice() -> None:
    assert completing.baseline_lists("lstm,b") == ["lstm,bigru"]
    assert completing.baseline_lists("lstm,ls") == []
    assert set(completing.strategies("")) == set(shipped.names("strategies"))


def test_without_shipped_files_nothing_is_offered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shipped, "__file__", str(tmp_path / "a" / "shipped.py"))
    assert completing.spaces("d") == []


def completed(line: str) -> tuple[list[str], float]:
    """What bash is offered at the end of a line, and after how many seconds; fails where torch was imported."""
    program = (
        "import sys, atexit; atexit.register(lambda: print('TORCH' * ('torch' in sys.modules), end=''));"
        "from audionas.cli import main; sys.argv = ['audionas']; main()"
    )
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "_AUDIONAS_COMPLETE": "complete_bash",
        "COMP_WORDS": f"audionas {line}", "COMP_CWORD": str(len(line.split(" "))),
    }  # fmt: skip
    started = time.perf_counter()
    found = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert "TORCH" not in found.stdout
    assert found.stderr == ""
    return found.stdout.split(), time.perf_counter() - started


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("search --space darts_c", ["darts_cnn", "darts_cnn_small"]),
        ("search --strategy pc", ["pc_darts"]),
        ("search --features log_mel_s", ["log_mel_small"]),
        ("prepare --dataset esc", ["esc10", "esc50"]),
        ("retrain --baseline l", ["lstm"]),
        ("wat", ["watch"]),
    ],
)
def test_a_shell_is_answered_at_once_and_without_torch(line: str, offered: list[str]) -> None:
    found, seconds = completed(line)
    assert found == offered
    assert seconds < 5, "half a second on an idle machine"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_has_its_script(shell: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "_AUDIONAS_COMPLETE": f"source_{shell}"}
    program = "import sys; sys.argv = ['audionas']; from audionas.cli import main; main()"
    found = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert "_AUDIONAS_COMPLETE" in found.stdout
    assert f"complete_{shell}" in found.stdout
