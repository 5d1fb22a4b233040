"""The paper's front end: exactly 1 x 140 x 140, the logarithm before the average, equal to librosa."""

from __future__ import annotations

from pathlib import Path

import librosa
import numpy as np
import pytest

from audionas.audio.waveform import load_waveform
from audionas.features import extractor_from_settings, load_features
from audionas.features.spectrogram import Spectrogram


@pytest.fixture
def waveform(speech_path: Path) -> np.ndarray:
    return load_waveform(speech_path, 16_000)


def paper(waveform: np.ndarray) -> np.ndarray:
    """FACTS 1.1's most plausible reading, by librosa and plain numpy."""
    padded = librosa.util.fix_length(waveform, size=128_000)
    spectrum = librosa.stft(padded, n_fft=278, hop_length=229, window="hamming", pad_mode="constant")
    log = np.log(np.maximum(np.abs(spectrum), 1e-5))
    assert log.shape == (140, 559)
    return np.stack([log[:, i : i + 4].mean(axis=1) for i in range(0, 559, 4)], axis=1)


@pytest.mark.parametrize("seconds", [0.001, 1.9, 8.0, 11.0])
def test_emotionnas_is_140_by_140_and_equals_librosa(waveform: np.ndarray, seconds: float) -> None:
    clip = np.resize(waveform, round(16_000 * seconds))
    extractor = load_features("emotionnas").resolve(44_100, [1.0])
    ours = extractor(clip)
    assert ours.shape == extractor.input_shape == (1, 140, 140)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours[0], paper(clip), atol=2e-3)  # logarithms of 1e-5 and more, float32


def test_the_last_window_is_the_mean_of_its_three_real_frames(waveform: np.ndarray) -> None:
    clip = np.resize(waveform, 128_000)
    spectrum = librosa.stft(clip, n_fft=278, hop_length=229, window="hamming", pad_mode="constant")
    last = np.log(np.maximum(np.abs(spectrum[:, 556:559]), 1e-5)).mean(axis=1)
    ours = load_features("emotionnas").resolve(16_000, [1.0])(clip)
    np.testing.assert_allclose(ours[0, :, -1], last, atol=2e-3)


def test_emotionnas_literal_is_726_frames_of_the_first_140_bins_averaged_adaptively(
    waveform: np.ndarray,
) -> None:
    clip = np.resize(waveform, 128_000)
    spectrum = librosa.stft(clip, n_fft=400, hop_length=176, window="hamming", center=False)
    log = np.log(np.maximum(np.abs(spectrum), 1e-5))
    assert log.shape == (201, 726)
    edges = [(i * 726 // 140, -(-(i + 1) * 726 // 140)) for i in range(140)]
    expected = np.stack([log[:140, a:b].mean(axis=1) for a, b in edges], axis=1)
    extractor = load_features("emotionnas-literal").resolve(16_000, [1.0])
    ours = extractor(clip)
    assert ours.shape == extractor.input_shape == (1, 140, 140)
    np.testing.assert_allclose(ours[0], expected, atol=2e-3)


def test_long_audio_is_cut_at_its_end_before_extraction(waveform: np.ndarray) -> None:
    clip = np.resize(waveform, 160_000)
    extractor = load_features("emotionnas").resolve(16_000, [1.0])
    np.testing.assert_array_equal(extractor(clip), extractor(clip[:128_000]))


def test_without_log_magnitudes_are_averaged_as_they_are(waveform: np.ndarray) -> None:
    settings = load_features("emotionnas").settings() | {"log": False, "pool": 1}
    ours = extractor_from_settings(settings, "test").resolve(16_000, [1.0])(waveform)
    padded = librosa.util.fix_length(waveform, size=128_000)
    expected = np.abs(librosa.stft(padded, n_fft=278, hop_length=229, window="hamming", pad_mode="constant"))
    np.testing.assert_allclose(ours[0], expected, atol=1e-3)


def test_silence_is_the_logarithm_of_the_floor() -> None:
    ours = load_features("emotionnas").resolve(16_000, [1.0])(np.zeros(1000, np.float32))
    np.testing.assert_allclose(ours, np.log(1e-5), rtol=1e-6)


def test_bins_keeps_the_lowest(waveform: np.ndarray) -> None:
    whole = Spectrogram(length_s=2.0).resolve(16_000, [])
    part = Spectrogram(length_s=2.0, bins=10).resolve(16_000, [])
    assert part.input_shape[1] == 10
    np.testing.assert_array_equal(part(waveform), whole(waveform)[:, :10])
