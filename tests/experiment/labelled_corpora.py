"""A corpus of mixed tones in a table: several labels a clip, and two numbers that can be heard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

PITCHES_HZ = {"low": 300.0, "high": 1500.0, "top": 3000.0}
MIXTURES = (("low",), ("high",), ("low", "high"), ("top", "low"), ("high", "top"), ())


def make_mixed_corpus(folder: Path, separator: str = ";") -> Path:
    """`clips.csv` of 6 speakers, 6 mixtures each: path, tags, loudness, n_tones, speaker; wav files of 0.5 s at 8 kHz.

    The last mixture is noise without a tone, and its cell of tags is empty.
    """
    rng = np.random.default_rng(0)
    time_s = np.arange(4000) / 8000
    lines = ["path,tags,loudness,n_tones,speaker"]
    folder.mkdir(parents=True, exist_ok=True)
    for speaker in range(6):
        for number, tags in enumerate(MIXTURES):
            gain = float(rng.uniform(0.05, 0.3))
            tones = [np.sin(2 * np.pi * (PITCHES_HZ[tag] + 20 * speaker) * time_s) for tag in tags]
            samples = gain * (np.sum(tones, axis=0) if tags else 0.0) + 0.02 * rng.normal(size=4000)
            name = f"s{speaker}_{number}.wav"
            soundfile.write(folder / name, samples, 8000)
            loudness = 20 * np.log10(np.sqrt(np.mean(samples**2)))
            lines.append(f'{name},"{separator.join(tags)}",{loudness:.3f},{len(tags)},speaker{speaker}')
    path = folder / "clips.csv"
    path.write_text("\n".join(lines) + "\n")
    return path
