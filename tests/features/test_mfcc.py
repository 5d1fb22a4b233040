"""Cepstral coefficients against librosa, on real speech."""

from __future__ import annotations

from pathlib import Path

import librosa
import numpy as np
import pytest

from audionas.audio.waveform import load_waveform
from audionas.features.mfcc import Mfcc


@pytest.mark.parametrize("n_mfcc", [13, 20, 64])
def test_coefficients_equal_librosa_s(speech_path: Path, n_mfcc: int) -> None:
    waveform = load_waveform(speech_path, 16_000)
    power = librosa.feature.melspectrogram(
        y=waveform, sr=16_000, n_fft=512, win_length=400, hop_length=160, n_mels=64, pad_mode="constant"
    )
    expected = librosa.feature.mfcc(S=librosa.power_to_db(power, top_db=None), n_mfcc=n_mfcc)
    ours = Mfcc(n_mfcc=n_mfcc, length_s=1.0).resolve(16_000, [])(waveform)
    assert ours.shape == (1, *expected.shape)
    np.testing.assert_allclose(ours[0], expected, atol=5e-3)  # dB, sums of 64 bands


def test_more_coefficients_than_bands_are_refused() -> None:
    with pytest.raises(ValueError, match="n_mfcc 65 must not exceed n_mels 64"):
        Mfcc(n_mfcc=65)
