"""The settings and the framing of all extractors that start from a short-time Fourier transform."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Literal, Self

import numpy as np
import torch
from pydantic import Field, model_validator

from audionas.errors import SettingsError
from audionas.features.extractor import Count, Extractor, Positive
from audionas.features.pooling import average_all, average_to, average_whole
from audionas.features.stft import Window, magnitudes, n_stft_frames

MAX_AUTO_RATE_HZ = 16_000
AUTO_LENGTH_PERCENTILE = 95


class StftExtractor(Extractor):
    """Shared by all extractors that start from a short-time Fourier transform.

    `frames` asks for exactly so many: by `length`, the length is rounded up to a whole number of pools, or
    `adaptive`, without regard to it. Shorter clips are padded to the length before extraction.
    """

    window_ms: Positive = 25.0
    hop_ms: Positive = 10.0
    n_fft: Annotated[int, Field(ge=2)] | None = None
    window: Window = "hann"
    centred: bool = True
    frames: Count | None = None
    frames_by: Literal["length", "adaptive"] = "length"
    pad: Literal["zero", "repeat"] = "zero"

    @model_validator(mode="after")
    def _check_framing(self) -> Self:
        if self.frames and self.pool > 1:
            raise ValueError("give frames or pool, not both: frames sets the pool")
        if self.frames_by == "adaptive" and (self.frames is None or self.crop != "end"):
            raise ValueError("frames_by: adaptive needs a number of frames and crop: end")
        return self

    def resolve(self, sample_rate_hz: int, durations_s: Sequence[float]) -> Self:
        """The same extractor with no "auto" left, from the corpus's rate and the training durations.

        Raises:
            SettingsError: there are no durations, or a clip of this length gives no frame.
        """
        rate = min(sample_rate_hz, MAX_AUTO_RATE_HZ) if self.sample_rate_hz == "auto" else self.sample_rate_hz
        length_s = self.length_s
        if length_s == "auto":
            if not len(durations_s):
                raise SettingsError(f"{self.kind}: length_s is auto, and there are no clips to take it from")
            length_s = float(np.percentile(np.asarray(durations_s), AUTO_LENGTH_PERCENTILE))
        at_rate = self.model_copy(update={"sample_rate_hz": rate, "length_s": length_s})
        if self.length_s == "auto" and self.frames and self.frames_by == "length":
            at_rate = at_rate.model_copy(update={"hop_ms": at_rate._fitted_hop_ms()})
        settings = at_rate.model_dump() | {"length_s": at_rate._rounded_length_s()}
        resolved = type(self).model_validate(settings)
        resolved._check_resolved()
        return resolved

    def n_frames(self, n_samples: int) -> int:
        """Frames of a clip of so many samples, once padded or cut as the settings say."""
        n_samples = max(n_samples, self.length_samples) if self.crop == "random" else self.length_samples
        if self.frames and self.frames_by == "adaptive":
            return self.frames
        if self.frames:
            return self._n_inside(n_samples) // self._pool_width
        return -(-self._n_stft(n_samples) // self.pool)

    def own_frames(self, n_samples: int) -> int:
        """Frames whose centre (centred) or start (not centred) lies within the clip's samples.

        Averages that hold one such frame count; all frames do where clips are padded by repetition.
        """
        n_frames = self.n_frames(n_samples)
        if self.pad == "repeat":
            return n_frames
        own = self._n_hops(n_samples)
        if self.frames and self.frames_by == "adaptive":
            own = -(-own * self.frames // self._n_stft(self.length_samples))
        else:
            own = -(-own // (self._pool_width if self.frames else self.pool))
        return min(max(own, 1), n_frames)

    def __call__(self, waveform: np.ndarray) -> np.ndarray:
        """Features of one clip.

        Args:
            waveform: (samples,), float32, at `rate_hz`; any length, also shorter than a window.

        Returns:
            (channels, features, frames), float32, at least `input_shape` frames.
        """
        fitted = self._fit(np.ascontiguousarray(waveform, dtype=np.float32))
        with torch.inference_mode():
            spectrum = magnitudes(
                fitted,
                n_fft=self.fft_samples,
                window_samples=self.window_samples,
                hop=self.hop_samples,
                window=self.window,
                is_centred=self.centred,
            )
            if self.frames and self.frames_by == "length":
                spectrum = spectrum[:, : self._n_inside(len(fitted))]
            spectrum = self._scaled(spectrum, self._n_own(len(waveform), spectrum.shape[1]))
            pooled = self._pooled(self._features(spectrum))
        return np.ascontiguousarray(pooled.numpy())

    def from_magnitudes(self, spectrum: torch.Tensor) -> torch.Tensor:
        """(fft bins, frames) magnitudes to (channels, features, pooled frames), where frames do not know of others."""
        return self._pooled(self._features(spectrum))

    def streaming_fault(self) -> str:
        """Why frames cannot be computed as the audio comes; empty where they can."""
        if self.frames:
            return "features with a fixed number of frames need the whole clip"
        if self.crop == "end":
            return "features with crop: end are of clips of one length"
        return "features with pad: repeat need the whole clip" if self.pad == "repeat" else ""

    def _scaled(self, spectrum: torch.Tensor, n_own: int) -> torch.Tensor:
        """(fft bins, frames) magnitudes on another scale, which may depend on the first `n_own` frames, the clip's."""
        return spectrum

    def _features(self, spectrum: torch.Tensor) -> torch.Tensor:
        """(fft bins, frames), scaled magnitudes, to (channels, features, frames)."""
        raise NotImplementedError

    @property
    def window_samples(self) -> int:
        """Length of the analysis window."""
        return max(2, round(self.window_ms * self.rate_hz / 1000))

    @property
    def hop_samples(self) -> int:
        """Step from frame to frame."""
        return max(1, round(self.hop_ms * self.rate_hz / 1000))

    @property
    def fft_samples(self) -> int:
        """`n_fft`, else the next power of two from the window on."""
        return self.n_fft or 1 << (self.window_samples - 1).bit_length()

    @property
    def pooled_frames(self) -> int:
        """Frames of the transform that are averaged into one stored frame; not for `frames_by: adaptive`."""
        return self._pool_width if self.frames else self.pool

    def _n_own(self, n_samples: int, n_stft: int) -> int:
        """How many of a clip's frames of the transform, before pooling, are its own."""
        return n_stft if self.pad == "repeat" else min(max(self._n_hops(n_samples), 1), n_stft)

    def _n_hops(self, n_samples: int) -> int:
        """Frames that start within the clip, of what is kept of it."""
        n_kept = min(n_samples, self.length_samples) if self.crop == "end" else n_samples
        return -(-n_kept // self.hop_samples)

    def _fit(self, waveform: np.ndarray) -> np.ndarray:
        """Pad to the length, and cut the end off where `crop` says so."""
        missing = self.length_samples - len(waveform)
        if missing > 0 and self.pad == "repeat" and len(waveform):
            return np.resize(waveform, self.length_samples)
        if missing > 0:
            return np.pad(waveform, (0, missing))
        return waveform[: self.length_samples] if self.crop == "end" else waveform

    def _pooled(self, features: torch.Tensor) -> torch.Tensor:
        if self.frames and self.frames_by == "adaptive":
            return average_to(features, self.frames)
        return average_whole(features, self._pool_width) if self.frames else average_all(features, self.pool)

    def _n_stft(self, n_samples: int) -> int:
        return n_stft_frames(n_samples, self.fft_samples, self.hop_samples, is_centred=self.centred)

    def _n_inside(self, n_samples: int) -> int:
        """Frames without the one that is centred on the very end, so that whole pools fill the length."""
        return min(self._n_stft(n_samples), n_samples // self.hop_samples) if self.centred else self._n_stft(n_samples)

    @property
    def _pool_width(self) -> int:
        """Frames a pool, where `frames` is set by length."""
        assert self.frames
        return max(1, self._n_inside(self.length_samples) // self.frames)

    def _fitted_hop_ms(self) -> float:
        """The hop nearest to the one asked for with which whole pools fill the length; a whole number of samples."""
        assert self.frames
        n_frames = self.frames * max(1, round(self.length_samples / (self.frames * self.hop_samples)))
        return math.ceil(self.length_samples / n_frames) * 1000 / self.rate_hz

    def _rounded_length_s(self) -> float:
        """The length, up to a whole number of pooled frames (and the asked number of them)."""
        if self.frames_by == "adaptive" or (self.crop == "end" and not self.frames):
            return self.length_samples / self.rate_hz
        step = self.hop_samples * (self.frames or self.pool)
        edge = 0 if self.centred else self.fft_samples - self.hop_samples
        n_steps = max(1, math.ceil((self.length_samples - edge) / step))
        return (n_steps * step + edge) / self.rate_hz

    def _check_resolved(self) -> None:
        if (self.n_fft or self.window_samples) < self.window_samples:
            raise SettingsError(
                f"{self.kind}: n_fft: got {self.n_fft}, must be at least the window of {self.window_samples} samples"
            )
        if self.n_frames(self.length_samples) < 1:
            raise SettingsError(f"{self.kind}: length_s: got {self.length_s}, shorter than one window")
        self._check_shifts()
