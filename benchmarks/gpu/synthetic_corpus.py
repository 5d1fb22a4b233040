"""A corpus of made-up clips, as large as the experiments of the EmotionNAS paper: for times, never for scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

LABELS = ("angry", "happy", "neutral", "sad")
SPEAKERS = 10
RATE_HZ = 16_000


def make_corpus(folder: Path, n_clips: int, length_s: float) -> Path:
    """`folder/<label>/s<speaker>_<number>.wav`: a tone by label in noise, the same for every call; made once."""
    done = folder / f"{n_clips} clips of {length_s} s"
    if not done.exists():
        time_s = np.arange(int(length_s * RATE_HZ)) / RATE_HZ
        for number in range(n_clips):
            rng = np.random.default_rng(number)
            label, speaker = number % len(LABELS), number // len(LABELS) % SPEAKERS
            pitch_hz = 200 * (label + 1) + 10 * speaker
            clip = 0.1 * np.sin(2 * np.pi * pitch_hz * time_s) + 0.1 * rng.standard_normal(len(time_s))
            path = folder / LABELS[label] / f"s{speaker}_{number}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, clip.astype(np.float32), RATE_HZ)
        done.touch()
    return folder
