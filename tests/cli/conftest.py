"""One folder in which the example of every subcommand's help is run once, in the order of a user's day."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.cli.running import Outcome, example, run
from tests.conftest import take_spaces_from


@dataclass(frozen=True)
class Workshop:
    """Where the examples ran, and how each ended."""

    folder: Path
    outcomes: dict[str, Outcome]

    @property
    def search(self) -> Path:
        """The run folder of the search."""
        return self.folder / "runs" / "first"

    @property
    def retraining(self) -> Path:
        """The run folder of the retraining."""
        return self.search / "retrained"


def make_recordings(folder: Path) -> Path:
    """Two labels, five speakers, a clip each."""
    rng = np.random.default_rng(0)
    for label in ("joy", "grief"):
        for speaker in ("anna", "ben", "cleo", "dora", "emil"):
            path = folder / label / f"{speaker}_1.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, 0.1 * rng.normal(size=4000), 8000)
    return folder


@pytest.fixture(autouse=True, scope="session")
def _nothing_fitted_twice(nothing_fitted_twice: None) -> None:
    """Every test here."""


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """A folder per label."""
    return make_recordings(tmp_path / "recordings")


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory, smallest_spaces: Path) -> Workshop:
    """The examples of all subcommands, run; `darts_cnn_small` is a smaller one."""
    folder = tmp_path_factory.mktemp("workshop")
    make_recordings(folder / "recordings")
    outcomes = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUDIONAS_CACHE", str(folder / "cache"))
        take_spaces_from(smallest_spaces, patch)
        for command in ("search", "rank", "retrain", "predict", "report", "watch", "export", "list", "prepare"):
            outcomes[command] = run(*example(command), cwd=folder)
        if outcomes["search"].code == 0:
            shutil.copy(folder / "runs" / "first" / "genotype.json", folder)
            shutil.copy(folder / "runs" / "first" / "space.yaml", folder / "my_space.yaml")
        for stream, epochs in (("spectrogram", "1"), ("frames", "2")):
            words = ("retrain", "runs/first", "--epochs", epochs, "--seeds", "1", "--inner-folds", "2", "--out")
            run(*words, f"runs/{stream}", cwd=folder)
        outcomes["evaluate"] = run(*example("evaluate"), cwd=folder)
        outcomes["fuse"] = run(*example("fuse"), cwd=folder)
        for command in ("pretrain", "hypercolumns", "check", "bundle", "verify", "schema", "new"):
            outcomes[command] = run(*example(command), cwd=folder)
    return Workshop(folder, outcomes)
