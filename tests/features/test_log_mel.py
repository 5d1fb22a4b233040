"""Mel bands and deltas against librosa, on real speech."""

from __future__ import annotations

from pathlib import Path

import librosa
import numpy as np
import pytest

from audionas.audio.waveform import load_waveform
from audionas.errors import SettingsError
from audionas.features import load_features
from audionas.features.log_mel import LogMel


@pytest.fixture
def waveform(speech_path: Path) -> np.ndarray:
    return load_waveform(speech_path, 16_000)


def mel_power(waveform: np.ndarray, n_mels: int, **band: float) -> np.ndarray:
    return librosa.feature.melspectrogram(
        y=waveform,
        sr=16_000,
        n_fft=512,
        win_length=400,
        hop_length=160,
        n_mels=n_mels,
        pad_mode="constant",
        **band,
    )


@pytest.mark.parametrize(("n_mels", "band"), [(40, {}), (64, {}), (80, {"fmin": 60.0, "fmax": 7600.0})])
def test_bands_in_db_equal_librosa_s(waveform: np.ndarray, n_mels: int, band: dict[str, float]) -> None:
    extractor = LogMel(n_mels=n_mels, length_s=1.0, **{f"{name}_hz": value for name, value in band.items()})
    ours = extractor.resolve(16_000, [])(waveform)
    expected = librosa.power_to_db(mel_power(waveform, n_mels, **band), ref=1.0, amin=1e-10, top_db=None)
    assert ours.shape == (1, *expected.shape)
    np.testing.assert_allclose(ours[0], expected, atol=2e-3)  # dB


def test_natural_and_linear_are_the_same_bands(waveform: np.ndarray) -> None:
    power = mel_power(waveform, 40)
    natural = LogMel(n_mels=40, length_s=1.0, log="natural", floor=1e-6).resolve(16_000, [])(waveform)
    np.testing.assert_allclose(natural[0], np.log(np.maximum(power, 1e-6)), atol=5e-4)
    linear = LogMel(n_mels=40, length_s=1.0, log="none").resolve(16_000, [])(waveform)
    np.testing.assert_allclose(linear[0], power, atol=1e-5 * power.max())


def test_deltas_are_further_channels_and_equal_librosa_s(waveform: np.ndarray) -> None:
    ours = LogMel(n_mels=40, length_s=1.0, deltas=2).resolve(16_000, [])(waveform)
    assert ours.shape[0] == 3
    for order in (1, 2):
        expected = librosa.feature.delta(ours[0], width=9, order=order, mode="nearest")
        np.testing.assert_allclose(ours[order], expected, atol=1e-4)


def test_deltas_of_clips_shorter_than_nine_frames_exist() -> None:
    ours = LogMel(n_mels=40, length_s=0.02, deltas=1).resolve(16_000, [])(np.ones(10, np.float32))
    assert ours.shape == (2, 40, 3)
    assert np.isfinite(ours).all()


def test_log_mel_small_averages_whole_pools_over_64_frames(waveform: np.ndarray) -> None:
    """2 s at 16 kHz are 3.1 times 64 frames of 10 ms: 3 a pool, and a hop of ceil(32000 / 192) = 167 samples."""
    extractor = load_features("log_mel_small").resolve(48_000, [2.0])
    assert (extractor.rate_hz, extractor.length_samples, extractor.input_shape) == (16_000, 167 * 192, (1, 32, 64))
    padded = librosa.util.fix_length(waveform, size=167 * 192)
    power = librosa.feature.melspectrogram(
        y=padded, sr=16_000, n_fft=512, win_length=400, hop_length=167, n_mels=32, pad_mode="constant"
    )
    db = 10 * np.log10(np.maximum(power, 1e-8))[:, :192]
    np.testing.assert_allclose(extractor(waveform)[0], db.reshape(32, 64, 3).mean(axis=2), atol=2e-3)


def test_a_long_clip_keeps_all_its_frames_to_be_cropped_later(waveform: np.ndarray) -> None:
    extractor = load_features("log_mel_small").resolve(16_000, [0.5])  # a hop of 8000 / 64 = 125 samples, no pooling
    assert extractor.input_shape == (1, 32, 64)
    assert extractor(waveform).shape == (1, 32, 30_372 // 125)


@pytest.mark.parametrize(("settings", "words"), [
    ({"n_mels": 400}, "n_mels: got 400, and .* bands hold no bin"),
    ({"fmax_hz": 9000.0}, "must not exceed half the rate of 16000 Hz"),
    ({"n_fft": 256}, "n_fft: got 256, must be at least the window of 400 samples"),
])  # fmt: skip
def test_what_cannot_be_computed_is_one_line(settings: dict[str, float], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        LogMel(length_s=1.0, **settings).resolve(16_000, [])(np.zeros(100, np.float32))


def test_a_band_upside_down_is_refused() -> None:
    with pytest.raises(ValueError, match="fmax_hz 50 must be above fmin_hz 60"):
        LogMel(fmin_hz=60, fmax_hz=50)


def test_the_cnn_blstm_s_frames_have_384_values_as_librosa_gives_them(waveform: np.ndarray) -> None:
    """Li, Zhao, Kawahara 2019: 7.5 s at 16 kHz, Hann 800, hop 400, DFT 800; centred, so 301 frames."""
    extractor = load_features("cnn_blstm").resolve(44_100, [2.0])
    assert extractor.input_shape == (3, 128, 301)
    padded = librosa.util.fix_length(waveform, size=120_000)
    power = librosa.feature.melspectrogram(
        y=padded, sr=16_000, n_fft=800, hop_length=400, window="hann", n_mels=128, pad_mode="constant"
    )
    expected = librosa.power_to_db(power, ref=1.0, amin=1e-8, top_db=None)
    np.testing.assert_allclose(extractor(waveform)[0], expected, atol=2e-3)  # dB
