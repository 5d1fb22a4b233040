"""Made-up run folders, and the texts of their pages."""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from matplotlib.figure import Figure

from audionas.report import blocks, write_report
from tests.report.retraining_folders import write_retraining
from tests.report.run_folders import LABELS, write_nested, write_search, write_trials


@pytest.fixture
def runs() -> SimpleNamespace:
    """The makers of run folders."""
    return SimpleNamespace(
        labels=LABELS, search=write_search, trials=write_trials, nested=write_nested, retraining=write_retraining
    )


@pytest.fixture
def search_run(tmp_path: Path) -> Path:
    """A finished search with its retraining, better than the plain systems."""
    run = write_search(tmp_path / "run")
    write_retraining(run / "retrained")
    return run


@pytest.fixture
def page_of() -> Callable[[Path], str]:
    """The text of the page of a run."""
    return lambda run: write_report(run).read_text(encoding="utf-8")


@pytest.fixture
def words_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], str]:
    """The text of the page without the insides of its pictures: to draw them takes longer than all else together."""

    def empty(_figure: Figure, _name: str, description: str) -> str:
        return f'<svg role="img" aria-label="{html.escape(description)}"></svg>'

    monkeypatch.setattr(blocks, "inline_svg", empty)
    return lambda run: write_report(run).read_text(encoding="utf-8")
