"""A corpus of files of which no speaker is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile


@pytest.fixture
def tiny_corpus_without_speakers(tmp_path: Path) -> Path:
    """Two labels, six wav files of 0.5 s each; nothing tells speakers."""
    rng = np.random.default_rng(0)
    for label in ("low", "high"):
        for take in range(6):
            path = tmp_path / "corpus" / label / f"{take}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, 0.1 * rng.normal(size=4000), 8000)
    return tmp_path / "corpus"
