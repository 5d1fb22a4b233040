"""A short piece of a clip, encoded so that a browser plays it: mono FLAC of at most 16 kHz.

FLAC, as every browser plays it, it loses nothing, and equal samples give equal bytes; libsndfile's Vorbis has a serial
number drawn anew each time.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from audionas.audio.waveform import load_waveform, opened

MIME = "audio/flac"
MAX_RATE_HZ = 16_000
MAX_S = 8.0
MAX_BYTES = 110_000  # 147 kB as base64
_SHORTER = 0.8


@dataclass(frozen=True)
class Excerpt:
    """The encoded beginning of a clip of `duration_s`."""

    data: bytes
    excerpt_s: float
    duration_s: float

    @property
    def is_whole(self) -> bool:
        """Whether it is the clip from end to end."""
        return self.excerpt_s >= self.duration_s - 0.01


def excerpt(path: Path, start_s: float = 0.0, duration_s: float = 0.0) -> Excerpt:
    """The beginning of a cut of a file; `duration_s` 0 means until the end of the file.

    Raises:
        AudioError: the file is missing, damaged, or ends before the cut does.
    """
    with opened(path) as file:
        rate, until_end = file.samplerate, file.frames / file.samplerate - start_s
    whole_s = duration_s or until_end
    kept_s = min(whole_s, MAX_S)
    waveform = load_waveform(path, min(rate, MAX_RATE_HZ), start_s, duration_s if kept_s == whole_s else kept_s)
    rate = min(rate, MAX_RATE_HZ)
    data = _flac(waveform, rate)
    while len(data) > MAX_BYTES:
        waveform = waveform[: int(len(waveform) * _SHORTER)]
        data = _flac(waveform, rate)
    return Excerpt(data, len(waveform) / rate, whole_s)


def _flac(waveform: np.ndarray, rate: int) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, np.clip(waveform, -1, 1), rate, format="FLAC", subtype="PCM_16")
    return stream.getvalue()
