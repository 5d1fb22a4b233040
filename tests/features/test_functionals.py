"""Functionals against librosa's spectra and numpy's statistics; of clips of any length."""

from __future__ import annotations

from typing import Any

import librosa
import numpy as np
import pytest
from scipy.fft import dct
from scipy.signal import savgol_filter

from audionas.errors import SettingsError
from audionas.features import extractor_from_settings
from audionas.features.functionals import QUANTILES, Functionals

RATE = 16_000


def _of(**settings: Any) -> Functionals:
    return Functionals(**settings).resolve(RATE, [1.0])


def _noise(n_samples: int) -> np.ndarray:
    return np.random.default_rng(0).normal(scale=0.1, size=n_samples).astype(np.float32)


def test_values_are_the_statistics_of_librosa_s_bands_and_coefficients() -> None:
    clip = _noise(8000)
    power = librosa.feature.melspectrogram(
        y=np.pad(clip, 56), sr=RATE, n_fft=512, win_length=400, hop_length=160, center=False, n_mels=40
    )  # 56 zeros on each side: the window of 400 stands in the middle of 512
    bands = librosa.power_to_db(power, amin=1e-8, top_db=None)
    still = np.concatenate([bands, dct(bands, axis=0, norm="ortho")[:20]])
    rows = np.concatenate([still, savgol_filter(still, 9, polyorder=1, deriv=1, axis=1, mode="nearest")])
    assert rows.shape == (120, 1 + (8000 - 400) // 160)
    expected = [rows.mean(1), rows.std(1), *(np.percentile(rows, 100 * q, axis=1) for q in QUANTILES)]
    found = _of()(clip)
    assert found.shape == (1, 840, 1)
    np.testing.assert_allclose(found.ravel(), np.concatenate(expected), rtol=1e-3, atol=2e-3)


def test_a_clip_is_not_padded_to_any_length_so_that_splits_share_one_cache() -> None:
    clip = _noise(5000)
    short, long = (Functionals().resolve(RATE, [seconds]) for seconds in (0.1, 9.0))
    np.testing.assert_array_equal(short(clip), long(clip))
    assert short.key == long.key


def test_a_clip_shorter_than_a_window_is_one_window() -> None:
    clip = _noise(100)
    np.testing.assert_array_equal(_of()(clip), _of()(np.pad(clip, (0, 300))))


def test_silence_is_the_floor_in_every_band() -> None:
    found = _of(deltas=0, n_mfcc=1)(np.zeros(4000, np.float32)).ravel()
    assert found[:40] == pytest.approx(np.full(40, -80.0))
    assert found[41:81] == pytest.approx(np.zeros(40))


def test_every_band_holds_a_bin_at_the_lowest_rate_that_a_corpus_may_have() -> None:
    found = Functionals().resolve(1000, [1.0])(_noise(300))
    assert np.isfinite(found).all()
    assert found.ravel()[:40].min() > -80


def test_cut_at_its_end_the_rest_counts_for_nothing() -> None:
    clip = _noise(32_000)
    np.testing.assert_array_equal(_of(crop="end")(clip), _of(crop="end")(clip[:RATE]))
    assert not np.array_equal(_of()(clip), _of()(clip[:RATE]))


def test_more_coefficients_than_bands_are_refused() -> None:
    with pytest.raises(SettingsError, match="n_mfcc 20 must not exceed n_mels 10"):
        extractor_from_settings({"extractor": "functionals", "n_mels": 10}, "test")


def test_a_length_from_no_clips_is_refused() -> None:
    with pytest.raises(SettingsError, match="functionals: length_s is auto, and there are no clips"):
        Functionals().resolve(RATE, [])
