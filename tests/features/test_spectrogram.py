"""The paper's front end: exactly 1 x 140 x 140, the logarithm before the average, equal to librosa."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import librosa
import numpy as np
import pytest

from audionas.audio.waveform import load_waveform
from audionas.errors import SettingsError
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


# --- mu-law ---


def li_2018(waveform: np.ndarray) -> np.ndarray:
    """Section 2.1 and equation 1, by librosa and plain numpy: (400, frames)."""
    spectrum = librosa.stft(waveform, n_fft=1600, win_length=640, hop_length=160, window="hamming", pad_mode="constant")
    magnitudes = np.abs(spectrum)[:400, : len(waveform) // 160].astype(np.float64)
    x = 2 * (magnitudes - magnitudes.min()) / (magnitudes.max() - magnitudes.min()) - 1
    return np.asarray(np.sign(x) * np.log(1 + 255 * np.abs(x)) / np.log(256))


def test_attention_pooling_cnn_is_400_bins_by_200_frames_of_2_s() -> None:
    extractor = load_features("attention_pooling_cnn").resolve(44_100, [1.0])
    assert extractor.input_shape == (1, 400, 200)
    assert (extractor.rate_hz, extractor.train_shift, extractor.test_shift) == (16_000, 100, 40)
    assert extractor.n_frames(40_000) == 250


@pytest.mark.parametrize("seconds", [2.0, 3.3])
def test_the_mu_law_is_the_one_of_the_paper_over_the_whole_clip(waveform: np.ndarray, seconds: float) -> None:
    clip = np.resize(waveform, round(16_000 * seconds))
    ours = load_features("attention_pooling_cnn").resolve(16_000, [1.0])(clip)[0]
    expected = li_2018(clip)
    assert ours.shape == expected.shape
    # Near x = 0 the slope of the mu-law is 46: float32 magnitudes agree to some 1e-6 of the largest.
    np.testing.assert_allclose(ours, expected, atol=1e-3)
    assert (ours.min(), ours.max()) == (-1, 1)


def test_the_extremes_are_those_of_the_clip_without_its_padding_which_is_at_minus_1(waveform: np.ndarray) -> None:
    loud = waveform[:16_000] + 0.5 * np.sin(np.arange(16_000, dtype=np.float32))  # no frame of it is near silence
    ours = load_features("attention_pooling_cnn").resolve(16_000, [1.0])(loud)[0]
    assert ours.shape == (400, 200)
    assert (ours[:, 110:] == -1).all()
    assert (ours[:, :100].min(), ours[:, :100].max()) == (-1, 1)
    np.testing.assert_allclose(ours[:, :95], li_2018(loud)[:, :95], atol=1e-3)


def test_from_0_on_the_mu_law_spreads_quiet_magnitudes(waveform: np.ndarray) -> None:
    settings = load_features("attention_pooling_cnn").settings() | {"mu_law_from": 0}
    extractor = extractor_from_settings(settings, "test").resolve(16_000, [1.0])
    assert extractor.key != load_features("attention_pooling_cnn").resolve(16_000, [1.0]).key
    clip = np.resize(waveform, 40_000)
    spectrum = librosa.stft(clip, n_fft=1600, win_length=640, hop_length=160, window="hamming", pad_mode="constant")
    magnitudes = np.abs(spectrum)[:400, :250].astype(np.float64)
    x = (magnitudes - magnitudes.min()) / (magnitudes.max() - magnitudes.min())
    np.testing.assert_allclose(extractor(clip)[0], np.log(1 + 255 * x) / np.log(256), atol=1e-4)
    with pytest.raises(SettingsError, match="mu_law_from: is for mu_law"):
        extractor_from_settings({"extractor": "spectrogram", "mu_law_from": 0}, "mine.yaml")


def test_silence_is_minus_1_under_the_mu_law() -> None:
    ours = load_features("attention_pooling_cnn").resolve(16_000, [1.0])(np.zeros(1000, np.float32))
    assert (ours == -1).all()


def test_a_mu_law_and_a_logarithm_exclude_each_other() -> None:
    with pytest.raises(SettingsError, match="mu_law: takes the place of the logarithm; give log: false with it"):
        extractor_from_settings({"extractor": "spectrogram", "mu_law": 255}, "mine.yaml")


def test_caches_from_before_the_mu_law_keep_their_key() -> None:
    """The key, written out as it was defined then: sha256 of the version and the settings that change numbers."""
    extractor = load_features("emotionnas").resolve(44_100, [1.0])
    loader = {"train_windows", "train_shift_s", "test_windows", "test_shift_s", "normalise", "mask_padding"}
    settings = sorted(
        item for item in extractor.settings().items() if item[0] not in loader | {"mu_law", "mu_law_from"}
    )
    assert extractor.key == hashlib.sha256(json.dumps([1, settings], ensure_ascii=False).encode()).hexdigest()[:16]
    assert extractor.key == "2d1353a8d0f6c560"
