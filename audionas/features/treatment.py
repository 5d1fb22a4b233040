"""`Treatment`: what is done to a clip's waveform before its features are taken."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from audionas.audio.manifest import Clip


class Treatment(Protocol):
    """Noise at one SNR, or one augmented copy. What it does to a clip depends on itself and on that clip alone."""

    @property
    def kind(self) -> str:
        """Part of the name of the cache files."""
        ...

    @property
    def key(self) -> str:
        """16 hex digits that change with all that changes waveforms: settings, code, files that are mixed in."""
        ...

    def settings(self) -> dict[str, Any]:
        """What the sidecar of the cache says, as JSON values."""
        ...

    def __call__(self, waveform: np.ndarray, rate_hz: int, clip: Clip) -> np.ndarray:
        """The treated waveform: (samples,) float32 to (samples,) float32; the length may change."""
        ...
