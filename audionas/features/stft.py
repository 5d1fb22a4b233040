"""The short-time Fourier transform of one clip, by torch; equal to librosa's and about 1.5 times as fast.

Clips are never batched: a batch of complex spectra leaves the processor's cache and is slower.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch

Window = Literal["hann", "hamming"]


def n_stft_frames(n_samples: int, n_fft: int, hop: int, *, is_centred: bool) -> int:
    """How many frames `magnitudes` gives.

    >>> n_stft_frames(128_000, 278, 229, is_centred=True), n_stft_frames(128_000, 400, 176, is_centred=False)
    (559, 726)
    """
    padded = n_samples + 2 * (n_fft // 2) if is_centred else n_samples
    return max(0, (padded - n_fft) // hop + 1)


def magnitudes(
    waveform: np.ndarray, *, n_fft: int, window_samples: int, hop: int, window: Window, is_centred: bool
) -> torch.Tensor:
    """Magnitude spectrum: (n_fft // 2 + 1, frames), float32, >= 0.

    The window is periodic and centred in `n_fft`; a centred transform pads the clip with zeros. Source:
    `librosa.stft(pad_mode="constant")`.
    """
    spectrum = torch.stft(
        torch.from_numpy(waveform),
        n_fft=n_fft,
        hop_length=hop,
        win_length=window_samples,
        window=_WINDOWS[window](window_samples),
        center=is_centred,
        pad_mode="constant",
        return_complex=True,
    )
    real, imaginary = spectrum.real, spectrum.imag
    return torch.addcmul(real.square(), imaginary, imaginary).sqrt_()  # a fourth of the time of abs(), which scales


_WINDOWS = {"hann": torch.hann_window, "hamming": torch.hamming_window}
