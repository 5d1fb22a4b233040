"""A corpus of files of which no speaker is known."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
import soundfile


@pytest.fixture
def tiny_corpus_without_speakers(tmp_path: Path) -> Path:
    """Two labels, six wav files of 0.5 s each; nothing tells speakers."""
    for label in ("low", "high"):
        for take in range(6):
            write_noise(tmp_path / "corpus" / label / f"{take}.wav")
    return tmp_path / "corpus"


def write_noise(path: Path) -> None:
    """Half a second of noise, another one for each name."""
    rng = np.random.default_rng(zlib.crc32(str(path.relative_to(path.parents[1])).encode()))
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.1 * rng.normal(size=4000), 8000)
