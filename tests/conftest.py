"""Fixtures that several folders of tests use: small synthetic audio, and the shipped sample's real speech."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from pathlib import Path

import hypothesis
import numpy as np
import pytest
import soundfile

from audionas import sample

# Before torch is imported: two threads on a shared core wait for each other, a hundred times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A shared machine makes any example slow now and then.
hypothesis.settings.register_profile("audionas", deadline=None)
hypothesis.settings.load_profile("audionas")

WriteTone = Callable[..., Path]


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
