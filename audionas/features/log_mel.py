"""`log_mel`: energies in mel bands, with deltas as further channels."""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import Annotated, ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator

from audionas.errors import SettingsError
from audionas.features.stft_extractor import StftExtractor

DELTA_WIDTH = 9  # frames, as in librosa


class LogMel(StftExtractor):
    """Power in Slaney's mel bands, in dB, as natural logarithm or linear.

    Powers below `floor` count as `floor`. Deltas are taken before frames are averaged. Source:
    `librosa.feature.melspectrogram`, `power_to_db(top_db=None)` and `delta(mode="nearest")`.
    """

    kind: ClassVar[str] = "log_mel"

    n_mels: Annotated[int, Field(ge=1)] = 64
    fmin_hz: Annotated[float, Field(ge=0)] = 0.0
    fmax_hz: Annotated[float, Field(gt=0)] | None = None
    log: Literal["db", "natural", "none"] = "db"
    floor: Annotated[float, Field(gt=0)] = 1e-10
    deltas: Literal[0, 1, 2] = 0

    @model_validator(mode="after")
    def _check_band(self) -> Self:
        if self.fmax_hz is not None and self.fmax_hz <= self.fmin_hz:
            raise ValueError(f"fmax_hz {self.fmax_hz:g} must be above fmin_hz {self.fmin_hz:g}")
        return self

    @property
    def n_channels(self) -> int:
        """The energies, and one channel for each order of deltas."""
        return 1 + self.deltas

    @property
    def n_features(self) -> int:
        """One row a band."""
        return self.n_mels

    def streaming_fault(self) -> str:
        """Why frames cannot be computed as the audio comes; empty where they can."""
        return super().streaming_fault() or ("features with deltas read later frames" if self.deltas else "")

    def _features(self, spectrum: torch.Tensor) -> torch.Tensor:
        return with_deltas(self._bands(spectrum), self.deltas)

    def _bands(self, spectrum: torch.Tensor) -> torch.Tensor:
        """(mel bands, frames), float32."""
        filters = mel_filters(self.rate_hz, self.fft_samples, self.n_mels, self.fmin_hz, self.fmax_hz)
        power = filters @ spectrum.square()
        if self.log == "none":
            return power
        logarithm = power.clamp(min=self.floor).log()
        return logarithm if self.log == "natural" else logarithm * _DB_PER_NEPER

    def _check_resolved(self) -> None:
        super()._check_resolved()
        if max(self.fmin_hz, self.fmax_hz or 0) > self.rate_hz / 2:
            raise SettingsError(
                f"{self.kind}: fmin_hz {self.fmin_hz:g}, fmax_hz {self.fmax_hz}: must not exceed half the "
                f"rate of {self.rate_hz} Hz"
            )


_DB_PER_NEPER = 4.342944819032518  # 10 / ln 10, of powers


def with_deltas(features: torch.Tensor, order: int) -> torch.Tensor:
    """(features, frames) to (1 + order, features, frames): the features and their slopes over time.

    Source: Savitzky-Golay, as `librosa.feature.delta(width=9, order=order, mode="nearest")`; that mode,
    because librosa's default refuses clips shorter than 9 frames.
    """
    if order == 0:
        return features.unsqueeze(0)
    from scipy.signal import savgol_filter

    slopes = [
        savgol_filter(features.numpy(), DELTA_WIDTH, polyorder=k, deriv=k, axis=-1, mode="nearest")
        for k in range(1, order + 1)
    ]
    return torch.stack([features, *(torch.from_numpy(slope).to(features.dtype) for slope in slopes)])


@lru_cache(maxsize=8)
def mel_filters(rate_hz: int, n_fft: int, n_mels: int, fmin_hz: float, fmax_hz: float | None) -> torch.Tensor:
    """Slaney's triangular filters: (mel bands, fft bins), float32, each of unit area.

    Raises:
        SettingsError: a band is so narrow that it holds no bin.
    """
    from librosa.filters import mel  # slow to import

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of empty bands, which are an error here
        filters = mel(sr=rate_hz, n_fft=n_fft, n_mels=n_mels, fmin=fmin_hz, fmax=fmax_hz)
    n_empty = int((filters.max(axis=1) == 0).sum())
    if n_empty:
        raise SettingsError(
            f"log_mel: n_mels: got {n_mels}, and {n_empty} bands hold no bin of n_fft {n_fft} at {rate_hz} "
            "Hz; ask for fewer bands or a larger n_fft"
        )
    return torch.from_numpy(filters)
