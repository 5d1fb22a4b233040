"""A tiny corpus and a tiny space, so that whole searches take seconds."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.retrain import RetrainRequest, retrain
from audionas.experiment.search import SearchRequest, search
from audionas.models.baselines import named_baseline

if TYPE_CHECKING:
    from tests.experiment.streams_to_fuse import StreamsToFuse

SPACE = """kind: cnn_cell
features: {features}
nodes: 1
ops: [none, max_pool_3x3, skip_connect, sep_conv_3x3]
macro: {{n_cells: 2, channels: 2, stem_multiplier: 1, reduction_at: [1/2]}}
"""
UNEVEN_FEATURES = "extractor: log_mel\nn_mels: 8\npool: 4\nmask_padding: true\ntest_windows: multi\n"
FEATURES = "extractor: log_mel\nsample_rate_hz: 8000\nlength_s: 0.5\nn_mels: 8\nframes: 8\n"


@pytest.fixture(autouse=True, scope="session")
def _nothing_fitted_twice(nothing_fitted_twice: None) -> None:
    """Every test here."""


@pytest.fixture
def tiny_corpus(tmp_path: Path) -> Path:
    """Two classes (a low and a high tone), 6 speakers, 2 clips of each: 24 wav files of 0.5 s at 8 kHz."""
    return make_tiny_corpus(tmp_path)


def make_tiny_corpus(folder: Path) -> Path:
    """The corpus of `tiny_corpus`, in a folder."""
    rng = np.random.default_rng(0)
    time_s = np.arange(4000) / 8000
    for speaker in range(6):
        for label, pitch_hz in (("low", 300), ("high", 1500)):
            for take in range(2):
                tone = np.sin(2 * np.pi * (pitch_hz + 20 * speaker) * time_s) + 0.1 * rng.normal(size=4000)
                path = folder / "corpus" / label / f"s{speaker}_{label}_{take}.wav"
                path.parent.mkdir(parents=True, exist_ok=True)
                soundfile.write(path, 0.3 * tone, 8000)
    return folder / "corpus"


@pytest.fixture
def tiny_space(tmp_path: Path) -> Path:
    """A space YAML of one node and four operations on 8 x 8 log-mel input."""
    return make_tiny_space(tmp_path)


def make_tiny_space(folder: Path) -> Path:
    """The space of `tiny_space`, with its features, in a folder."""
    (folder / "features.yaml").write_text(FEATURES)
    path = folder / "tiny.yaml"
    path.write_text(SPACE.format(features=folder / "features.yaml"))
    return path


@pytest.fixture(scope="session")
def _searched_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One finished search of one epoch on the tiny corpus, three folds by speaker; its features lie beside it."""
    folder = tmp_path_factory.mktemp("searched_once")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AUDIONAS_CACHE", str(folder / "cache"))
        return search(
            SearchRequest(
                make_tiny_corpus(folder), str(make_tiny_space(folder)), epochs=1, threads=1, out=folder / "run",
                preparation=PrepareOptions(group_from="^(s[0-9])", folds="3"),
            )
        )  # fmt: skip


@pytest.fixture
def searched(_searched_once: Path, tmp_path: Path) -> Path:
    """A finished search to do anything with: a copy of one that is made once."""
    return Path(shutil.copytree(_searched_once, tmp_path / "run"))


@pytest.fixture
def request_for(tiny_corpus: Path, tiny_space: Path, tmp_path: Path) -> Callable[..., SearchRequest]:
    """Makes requests of a search of two epochs on the tiny corpus, three folds by speaker."""

    def make(**changes: Any) -> SearchRequest:
        fields: dict[str, Any] = {
            "data": tiny_corpus, "space": str(tiny_space), "epochs": 2, "threads": 1, "out": tmp_path / "run",
            "preparation": PrepareOptions(group_from="^(s[0-9])", folds="3"),
        }  # fmt: skip
        return SearchRequest(**(fields | changes))

    return make


@pytest.fixture(scope="session")
def two_epochs_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished search that `request_for` asks for, made once; nobody changes it."""
    folder = tmp_path_factory.mktemp("two_epochs_once")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AUDIONAS_CACHE", str(folder / "cache"))
        return search(
            SearchRequest(
                make_tiny_corpus(folder), str(make_tiny_space(folder)), epochs=2, threads=1, out=folder / "run",
                preparation=PrepareOptions(group_from="^(s[0-9])", folds="3"),
            )
        )  # fmt: skip


@pytest.fixture
def two_epochs(two_epochs_once: Path, tmp_path: Path) -> Path:
    """A copy of it, to do anything with."""
    return Path(shutil.copytree(two_epochs_once, tmp_path / "run"))


@pytest.fixture(scope="session")
def retrained_once(_searched_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished retraining of that search in two epochs and two seeds, made once; nobody changes it."""
    folder = tmp_path_factory.mktemp("retrained_once")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AUDIONAS_CACHE", str(folder / "cache"))
        return retrain(RetrainRequest((_searched_once,), epochs=2, seeds=2, threads=1, out=folder / "run"))


@pytest.fixture
def search_words(tiny_corpus: Path, tiny_space: Path) -> Callable[..., list[str]]:
    """The words of `audionas search` on the tiny corpus, speakers taken from the file names."""

    def words(out: Path, *more: str) -> list[str]:
        return [
            "search", str(tiny_corpus), "--space", str(tiny_space), "--group-from", "^(s[0-9])", "--folds", "3",
            "--threads", "1", "--out", str(out), *more,
        ]  # fmt: skip

    return words


@pytest.fixture(scope="session")
def streams(tmp_path_factory: pytest.TempPathFactory) -> StreamsToFuse:
    """Retrained streams, made once; a test that changes something copies them."""
    from tests.experiment.streams_to_fuse import make_streams

    folder = tmp_path_factory.mktemp("streams")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUDIONAS_CACHE", str(folder / "cache"))
        return make_streams(folder)


@pytest.fixture(scope="session")
def uneven_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished retraining of a small LSTM, with a final model, on clips of 0.3 to 0.8 s; nobody changes it.

    Padding is masked, several windows test a clip, and the input's length is another one in every fold.
    """
    folder = tmp_path_factory.mktemp("uneven_once")
    rng = np.random.default_rng(1)
    for speaker in range(6):
        for label, pitch_hz in (("low", 300), ("high", 1500)):
            time_s = np.arange(2400 + 800 * speaker) / 8000
            tone = np.sin(2 * np.pi * (pitch_hz + 20 * speaker) * time_s) + 0.1 * rng.normal(size=len(time_s))
            path = folder / "corpus" / label / f"s{speaker}_{label}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, 0.3 * tone, 8000)
    (folder / "frames.yaml").write_text(UNEVEN_FEATURES)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AUDIONAS_CACHE", str(folder / "cache"))
        return retrain(
            RetrainRequest(
                (), folder / "corpus", str(folder / "frames.yaml"), epochs=2, seeds=1, threads=1, final=True,
                out=folder / "run", preparation=PrepareOptions(group_from="^(s[0-9])", folds="3"),
                baseline=named_baseline("lstm", {"hidden": "4"}),
            )
        )  # fmt: skip
