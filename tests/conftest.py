"""Fixtures that several folders of tests use: small synthetic audio, and the shipped sample's real speech."""

from __future__ import annotations

import os
import shutil
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import numpy as np
import pytest
import soundfile

from audionas import sample, shipped
from audionas.run_places import cache_root

if TYPE_CHECKING:
    from tests.experiment.finished_runs import FinishedRuns

# Before torch is imported: two threads on a shared core wait for each other, a hundred times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Tests have caches of their own for everything but the compiled kernels.
os.environ.setdefault("AUDIONAS_KERNELS_FOLDER", str(cache_root() / "kernels"))

# A shared machine makes any example slow now and then.
hypothesis.settings.register_profile("audionas", deadline=None)
hypothesis.settings.load_profile("audionas")

WriteTone = Callable[..., Path]

# One node of four operations and a tenth of the convolutions: its networks train in a fifth of the time.
SMALLEST_SPACE = """kind: cnn_cell
features: log_mel_small
nodes: 1
edges_per_node: 2
ops: [none, max_pool_3x3, skip_connect, sep_conv_3x3]
macro: {n_cells: 2, channels: 2, stem_multiplier: 1, reduction_at: [1/2]}
"""


@pytest.fixture
def write_tone() -> WriteTone:
    """Writes a quiet noisy tone that no two paths share; gives the path back."""

    def write(path: Path, seconds: float = 0.25, rate: int = 8000, channels: int = 1) -> Path:
        seed = zlib.crc32(path.as_posix().encode())
        rng = np.random.default_rng(seed)
        time_s = np.arange(round(seconds * rate)) / rate
        tone = 0.3 * np.sin(2 * np.pi * (200 + seed % 1000) * time_s)
        noise = rng.normal(scale=0.01, size=(len(time_s), channels))
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, tone[:, None] + noise, rate)
        return path

    return write


@pytest.fixture(scope="session")
def speech_path() -> Path:
    """One real recording of the sample: 16 kHz, 1.9 s."""
    return sample.folder() / "audio" / "03a01Fa.flac"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's cache."""
    monkeypatch.setenv("AUDIONAS_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(autouse=True, scope="session")
def _no_wait_for_the_disk() -> Iterator[None]:
    """`fsync` guards against a power cut, which no test has; hundreds of thousands of them take minutes."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", lambda _handle: None)
        yield


@pytest.fixture(scope="session")
def nothing_fitted_twice() -> Iterator[None]:
    """The plain baselines and counts of runs that are alike are computed once; for folders full of tiny runs."""
    from tests.remembered import remember

    with pytest.MonkeyPatch.context() as patched:
        remember(patched)
        yield


@pytest.fixture(scope="session")
def smallest_spaces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the shipped spaces in which `darts_cnn_small` is as small as a space can be."""
    folder = tmp_path_factory.mktemp("shelf") / "search_spaces"
    shutil.copytree(shipped.folder("search_spaces"), folder)
    (folder / "darts_cnn_small.yaml").write_text(SMALLEST_SPACE)
    return folder


@pytest.fixture
def _smallest_spaces(smallest_spaces: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test takes the shipped spaces from there."""
    take_spaces_from(smallest_spaces, monkeypatch)


def take_spaces_from(spaces: Path, patched: pytest.MonkeyPatch) -> None:
    """Make another folder the one of the shipped spaces, until the patch is undone."""
    real = shipped.folder
    patched.setattr(shipped, "folder", lambda shelf: spaces if shelf == "search_spaces" else real(shelf))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> FinishedRuns:
    """Finished runs, made once; a test that changes something copies them."""
    from tests.experiment.finished_runs import make_finished_runs

    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUDIONAS_CACHE", str(folder / "cache"))
        return make_finished_runs(folder)
