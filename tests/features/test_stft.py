"""The transform against librosa's, on real speech."""

from __future__ import annotations

from pathlib import Path

import librosa
import numpy as np
import pytest

from audionas.audio.waveform import load_waveform
from audionas.features.stft import magnitudes, n_stft_frames


@pytest.mark.parametrize("n_samples", [30_372, 500, 30])
@pytest.mark.parametrize("is_centred", [True, False])
@pytest.mark.parametrize(("n_fft", "window_samples", "hop", "window"), [
    (278, 278, 229, "hamming"), (400, 400, 176, "hamming"), (512, 400, 160, "hann"), (401, 400, 160, "hann"),
])  # fmt: skip
def test_magnitudes_equal_librosa_s(
    speech_path: Path,
    n_samples: int,
    is_centred: bool,
    n_fft: int,
    window_samples: int,
    hop: int,
    window: str,
) -> None:
    waveform = load_waveform(speech_path, 16_000)[:n_samples]
    n_frames = n_stft_frames(n_samples, n_fft, hop, is_centred=is_centred)
    if not is_centred and n_samples < n_fft:
        assert n_frames == 0
        return
    spectrum = librosa.stft(
        waveform, n_fft=n_fft, win_length=window_samples, hop_length=hop, window=window, center=is_centred,
        pad_mode="constant",
    )  # fmt: skip
    ours = magnitudes(
        waveform, n_fft=n_fft, window_samples=window_samples, hop=hop, window=window, is_centred=is_centred
    ).numpy()
    assert ours.shape == spectrum.shape == (n_fft // 2 + 1, n_frames)
    # float32 sums in another order: 2e-5 of the loudest bin (about 30)
    np.testing.assert_allclose(ours, np.abs(spectrum), atol=2e-5 * np.abs(spectrum).max())
