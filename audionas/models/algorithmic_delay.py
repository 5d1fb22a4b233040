"""What `causal: true` asks of the features, and the delay that features and network then have by construction."""

from __future__ import annotations

from dataclasses import dataclass

from audionas.errors import SettingsError
from audionas.features import Extractor, StftExtractor
from audionas.features.log_mel import DELTA_WIDTH
from audionas.features.spectrogram import Spectrogram
from audionas.spaces import CnnMacro, RecurrentMacro


@dataclass(frozen=True)
class AlgorithmicDelay:
    """Milliseconds of audio, whatever the machine: what an output waits for before it can be computed.

    `window_ms`: the audio under one stored frame, its analysis windows from first to last. `hop_ms`: from one output
    to the next, as long as a new sample waits at most to be seen at all. `lookahead_ms`: later frames that are read.
    """

    window_ms: float
    hop_ms: float
    lookahead_ms: float

    @property
    def total_ms(self) -> float:
        """The sum of the three."""
        return self.window_ms + self.hop_ms + self.lookahead_ms

    @property
    def text(self) -> str:
        """The delay and its parts, for people."""
        return (
            f"algorithmic delay {self.total_ms:.1f} ms: window {self.window_ms:.1f}, hop {self.hop_ms:.1f}, "
            f"lookahead {self.lookahead_ms:.1f}"
        )

    def as_record(self) -> dict[str, float]:
        """JSON form."""
        parts = {"window_ms": self.window_ms, "hop_ms": self.hop_ms, "lookahead_ms": self.lookahead_ms}
        return {name: round(value, 3) for name, value in (parts | {"total_ms": self.total_ms}).items()}


def check_causal_features(macro: CnnMacro | RecurrentMacro | None, extractor: Extractor, where: str) -> None:
    """Refuse features that read the whole clip where the macro values ask for a causal network.

    Raises:
        SettingsError: naming the key.
    """
    if macro is None or not macro.causal:
        return
    if not isinstance(extractor, StftExtractor):
        raise SettingsError(
            f"{where}: causal: true and features {extractor.kind!r}: a trained encoder reads the whole clip; take "
            "log_mel, mfcc or spectrogram, or causal: false"
        )
    if isinstance(extractor, Spectrogram) and extractor.mu_law is not None:
        raise SettingsError(
            f"{where}: causal: true and features with mu_law, which needs the extremes of the whole clip; take log: "
            "true, or causal: false"
        )
    if extractor.frames_by == "adaptive":
        raise SettingsError(
            f"{where}: causal: true and features with frames_by: adaptive, whose frames have no fixed width; take "
            "frames_by: length, or causal: false"
        )


def algorithmic_delay(macro: CnnMacro | RecurrentMacro | None, extractor: Extractor) -> AlgorithmicDelay | None:
    """The delay of a causal network on resolved features; None where the network is not causal.

    A centred transform shifts its frames by half a window and waits for the whole of it, so it counts the same.
    Deltas are slopes over 9 frames, 4 of them later ones.
    """
    if macro is None or not macro.causal or not isinstance(extractor, StftExtractor):
        return None
    stride = macro.frame_stride if isinstance(macro, CnnMacro) else 1
    hop_ms = 1000 * extractor.hop_samples / extractor.rate_hz
    window_ms = 1000 * extractor.window_samples / extractor.rate_hz
    later = DELTA_WIDTH // 2 if getattr(extractor, "deltas", 0) else 0
    pool = extractor.pooled_frames
    return AlgorithmicDelay(window_ms + (pool - 1) * hop_ms, stride * pool * hop_ms, later * hop_ms)
