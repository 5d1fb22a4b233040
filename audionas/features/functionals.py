"""`functionals`: one vector a clip, statistics over time of log-mel bands and cepstral coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
import torch
from pydantic import Field, model_validator

from audionas.errors import SettingsError
from audionas.features.extractor import Extractor, Positive
from audionas.features.log_mel import mel_filters, with_deltas
from audionas.features.mfcc import cosines
from audionas.features.stft import magnitudes
from audionas.features.stft_extractor import MAX_AUTO_RATE_HZ

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
SHORTEST_FFT = 512  # so that at any rate each band holds a bin
_DB_PER_NEPER = 10 / np.log(10)  # of powers


class Functionals(Extractor):
    """Mean, standard deviation and the quantiles of 5, 25, 50, 75 and 95 % over a clip's own frames.

    Of what: mel bands in dB, the first coefficients of their cosine transform, and the deltas of both. One frame, of
    (2 + quantiles) values a row: first all means, then all sds, then quantile by quantile. The clip is never padded,
    but to one window. The kind of features is that of openSMILE's sets (Eyben, Wöllmer, Schuller 2010), which have
    more of both.
    """

    kind: ClassVar[str] = "functionals"

    window_ms: Positive = 25.0
    hop_ms: Positive = 10.0
    n_mels: Annotated[int, Field(ge=1)] = 40
    n_mfcc: Annotated[int, Field(ge=1)] = 20
    floor: Annotated[float, Field(gt=0)] = 1e-8
    deltas: Literal[0, 1, 2] = 1

    @model_validator(mode="after")
    def _check_count(self) -> Self:
        if self.n_mfcc > self.n_mels:
            raise ValueError(f"n_mfcc {self.n_mfcc} must not exceed n_mels {self.n_mels}")
        return self

    def _left_out_of_key(self) -> frozenset[str]:
        """Of a whole clip no value depends on the input's length, so that all splits share one cache."""
        return super()._left_out_of_key() | ({"length_s"} if self.crop == "random" else set())

    def resolve(self, sample_rate_hz: int, durations_s: Sequence[float]) -> Self:
        """The same extractor with no "auto" left; the length is the longest duration, and changes nothing stored.

        Raises:
            SettingsError: there are no durations.
        """
        rate = min(sample_rate_hz, MAX_AUTO_RATE_HZ) if self.sample_rate_hz == "auto" else self.sample_rate_hz
        if self.length_s == "auto" and not len(durations_s):
            raise SettingsError(f"{self.kind}: length_s is auto, and there are no clips to take it from")
        length_s = float(max(durations_s)) if self.length_s == "auto" else self.length_s
        return type(self).model_validate(self.model_dump() | {"sample_rate_hz": rate, "length_s": length_s})

    @property
    def n_features(self) -> int:
        """One row a functional of each descriptor."""
        return (2 + len(QUANTILES)) * (self.n_mels + self.n_mfcc) * (1 + self.deltas)

    def n_frames(self, n_samples: int) -> int:
        """1, of any clip."""
        return 1

    def own_frames(self, n_samples: int) -> int:
        """1: it is the clip's own."""
        return self.n_frames(n_samples)

    def __call__(self, waveform: np.ndarray) -> np.ndarray:
        """Functionals of one clip.

        Args:
            waveform: (samples,), float32, at `rate_hz`; any length, also shorter than a window.

        Returns:
            (1, n_functionals, 1), float32.
        """
        clip = np.ascontiguousarray(waveform[: self.length_samples] if self.crop == "end" else waveform, np.float32)
        with torch.inference_mode():
            rows = with_deltas(self._descriptors(clip), self.deltas).flatten(0, 1).double().numpy()
        values = [rows.mean(axis=1), rows.std(axis=1), *np.quantile(rows, QUANTILES, axis=1)]
        return np.concatenate(values).astype(np.float32)[None, :, None]

    def _descriptors(self, clip: np.ndarray) -> torch.Tensor:
        """(bands + coefficients, frames), float32, of windows that lie wholly within the clip."""
        window = max(2, round(self.window_ms * self.rate_hz / 1000))
        n_fft = max(SHORTEST_FFT, 1 << (window - 1).bit_length())
        edge = (n_fft - window) // 2  # the transform centres its window in n_fft samples
        padded = np.pad(clip, (edge, n_fft - window - edge + max(0, window - len(clip))))
        spectrum = magnitudes(
            padded,
            n_fft=n_fft,
            window_samples=window,
            hop=max(1, round(self.hop_ms * self.rate_hz / 1000)),
            window="hann",
            is_centred=False,
        )
        power = mel_filters(self.rate_hz, n_fft, self.n_mels, 0.0, None) @ spectrum.square()
        bands = power.clamp(min=self.floor).log() * _DB_PER_NEPER
        return torch.cat([bands, cosines(self.n_mfcc, self.n_mels) @ bands])
