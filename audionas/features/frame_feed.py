"""Frames of features as the audio comes: together they are the clip's own frames of the extractor, given at once."""

from __future__ import annotations

import numpy as np
import torch

from audionas.errors import SettingsError
from audionas.features.extractor import Extractor
from audionas.features.stft import magnitudes
from audionas.features.stft_extractor import StftExtractor


class FrameFeed:
    """Audio in, frames out; a frame comes as soon as the audio that it reads is there.

    Args:
        extractor: resolved, of a kind whose frames know of no later ones but those in their own window.

    Raises:
        SettingsError: its frames need the whole clip.
    """

    def __init__(self, extractor: Extractor) -> None:
        fault = _fault(extractor)
        if fault:
            raise SettingsError(f"streaming: {fault}")
        assert isinstance(extractor, StftExtractor)
        self._extractor = extractor
        edge = extractor.fft_samples // 2 if extractor.centred else 0
        self._waiting = np.zeros(edge, np.float32)  # the zeros that a centred transform puts before the clip
        self._edge, self._n_samples, self._n_out = edge, 0, 0

    def push(self, samples: np.ndarray) -> np.ndarray:
        """Frames that are complete with these samples, (channels, features, frames) float32; often none.

        Args:
            samples: (samples,) float32, at the extractor's rate.
        """
        self._n_samples += len(samples)
        self._waiting = np.concatenate([self._waiting, np.asarray(samples, np.float32)])
        hop, pool = self._extractor.hop_samples, self._extractor.pool
        n_transforms = max(0, (len(self._waiting) - self._extractor.fft_samples) // hop + 1)
        return self._take(n_transforms // pool * pool)

    def finish(self) -> np.ndarray:
        """The frames that are left when the audio has ended, as the extractor pads the end of a clip.

        Raises:
            SettingsError: there was no audio.
        """
        if self._n_samples == 0:
            raise SettingsError("streaming: no audio came")
        e = self._extractor
        n_left = e.own_frames(self._n_samples) - self._n_out
        n_clip = max(self._n_samples, e.length_samples)
        self._waiting = np.pad(self._waiting, (0, n_clip - self._n_samples + self._edge))
        there = max(0, (len(self._waiting) - e.fft_samples) // e.hop_samples + 1)
        return self._take(min(n_left * e.pool, there))

    def _take(self, n_transforms: int) -> np.ndarray:
        """Frames of the next so many windows of the transform, whose samples are all there."""
        e = self._extractor
        if n_transforms <= 0:
            return np.zeros((e.n_channels, e.n_features, 0), np.float32)
        last = (n_transforms - 1) * e.hop_samples + e.fft_samples
        with torch.inference_mode():
            spectrum = magnitudes(
                self._waiting[:last], n_fft=e.fft_samples, window_samples=e.window_samples, hop=e.hop_samples,
                window=e.window, is_centred=False,
            )  # fmt: skip
            block = e.from_magnitudes(spectrum).contiguous().numpy()
        self._waiting = self._waiting[n_transforms * e.hop_samples :]
        self._n_out += block.shape[2]
        return np.asarray(block)


def _fault(extractor: Extractor) -> str:
    if not isinstance(extractor, StftExtractor):
        return f"features of the kind {extractor.kind} need the whole clip; spectrogram, log_mel and mfcc do not"
    return extractor.streaming_fault()
