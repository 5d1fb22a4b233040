"""`spectrogram`: magnitudes of the short-time Fourier transform, as EmotionNAS's first branch sees them."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator

from audionas.features.stft import Window
from audionas.features.stft_extractor import StftExtractor


class Spectrogram(StftExtractor):
    """Magnitudes, by default their natural logarithm: 1 channel, features = frequency bins.

    The logarithm is taken before frames are averaged. Source: Sun et al. 2022, sec. 3.2, which leaves
    logarithm and normalisation open.

    With `mu_law` (then `log: false`) each clip is mapped linearly, its least own magnitude to `mu_law_from` and its
    largest to 1, and by the mu-law of this mu: sign(x) ln(1 + mu |x|) / ln(1 + mu). Padding is at the lower end.
    Source: Li et al. 2018, section 2.1, equation 1, to the letter, which maps to [-1, 1]; there each segment seems to
    be mapped by its own extremes, here a clip is. Quiet magnitudes, near -1, are then hardly told apart; from 0 on
    they are spread, as the mu-law of telephony does it.
    """

    kind: ClassVar[str] = "spectrogram"

    window: Window = "hamming"
    bins: Annotated[int, Field(ge=1)] | None = None
    log: bool = True
    floor: Annotated[float, Field(gt=0)] = 1e-5
    mu_law: Annotated[float, Field(gt=0)] | None = None
    mu_law_from: Literal[-1, 0] = -1

    @model_validator(mode="after")
    def _one_scale(self) -> Self:
        if self.log and self.mu_law is not None:
            raise ValueError("mu_law: takes the place of the logarithm; give log: false with it")
        if self.mu_law is None and self.mu_law_from != -1:
            raise ValueError("mu_law_from: is for mu_law")
        return self

    @property
    def n_features(self) -> int:
        """All bins, or the first `bins` of them."""
        n_bins = self.fft_samples // 2 + 1
        return min(self.bins, n_bins) if self.bins else n_bins

    def _left_out_of_key(self) -> frozenset[str]:
        """Caches made before there was a mu-law keep their names."""
        since = {"mu_law": self.mu_law is None, "mu_law_from": self.mu_law_from == -1}
        return super()._left_out_of_key() | {name for name, is_as_before in since.items() if is_as_before}

    def streaming_fault(self) -> str:
        """Why frames cannot be computed as the audio comes; empty where they can."""
        return super().streaming_fault() or ("features with mu_law need the whole clip" if self.mu_law else "")

    def _scaled(self, spectrum: torch.Tensor, n_own: int) -> torch.Tensor:
        if self.mu_law is None:
            return spectrum
        return _expanded(_spread(spectrum[: self.n_features], n_own, self.mu_law_from), self.mu_law)

    def _features(self, spectrum: torch.Tensor) -> torch.Tensor:
        kept = spectrum[: self.n_features]
        return (kept.clamp(min=self.floor).log() if self.log else kept).unsqueeze(0)


def _spread(magnitudes: torch.Tensor, n_own: int, start: int) -> torch.Tensor:
    """Mapped linearly to [start, 1] by the extremes of the first `n_own` frames; a constant clip is at the start."""
    own = magnitudes[:, :n_own]
    low = own.min()
    span = (own.max() - low).clamp(min=torch.finfo(own.dtype).tiny)
    return ((1 - start) * (magnitudes - low) / span + start).clamp(start, 1)


def _expanded(x: torch.Tensor, mu: float) -> torch.Tensor:
    return x.sign() * torch.log1p(mu * x.abs()) / math.log1p(mu)
