"""`spectrogram`: magnitudes of the short-time Fourier transform, as EmotionNAS's first branch sees them."""

from __future__ import annotations

from typing import Annotated, ClassVar

import torch
from pydantic import Field

from audionas.features.stft import Window
from audionas.features.stft_extractor import StftExtractor


class Spectrogram(StftExtractor):
    """Magnitudes, by default their natural logarithm: 1 channel, features = frequency bins.

    The logarithm is taken before frames are averaged. Source: Sun et al. 2022, sec. 3.2, which leaves
    logarithm and normalisation open.
    """

    kind: ClassVar[str] = "spectrogram"

    window: Window = "hamming"
    bins: Annotated[int, Field(ge=1)] | None = None
    log: bool = True
    floor: Annotated[float, Field(gt=0)] = 1e-5

    @property
    def n_features(self) -> int:
        """All bins, or the first `bins` of them."""
        n_bins = self.fft_samples // 2 + 1
        return min(self.bins, n_bins) if self.bins else n_bins

    def _features(self, spectrum: torch.Tensor) -> torch.Tensor:
        kept = spectrum[: self.n_features]
        return (kept.clamp(min=self.floor).log() if self.log else kept).unsqueeze(0)
