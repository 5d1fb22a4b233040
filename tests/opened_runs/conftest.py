"""A real tiny run to open: a search by trials with its retraining and a final model."""

from __future__ import annotations

from pathlib import Path

import pytest

from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.retrain import RetrainRequest, retrain
from audionas.experiment.search import SearchRequest, search
from tests.experiment.conftest import make_tiny_corpus, make_tiny_space


@pytest.fixture(autouse=True, scope="session")
def _nothing_fitted_twice(nothing_fitted_twice: None) -> None:
    """Every test here."""


@pytest.fixture(scope="session")
def by_trials(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random search of three trials, retrained with a final model; nobody changes it."""
    folder = tmp_path_factory.mktemp("opened_trials")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUDIONAS_CACHE", str(folder / "cache"))
        run = search(SearchRequest(
            make_tiny_corpus(folder), str(make_tiny_space(folder)), "random", epochs=1, trials=3, retest=0, threads=1,
            out=folder / "run", preparation=PrepareOptions(group_from="^(s[0-9])", folds="2"),
        ))  # fmt: skip
        retrain(RetrainRequest((run,), epochs=2, seeds=2, final=True, threads=1))
    return run
