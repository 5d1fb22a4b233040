"""Milliseconds and hertz of stored frames and rows, against what changes them and against librosa's scale."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

from audionas.features import Extractor, extractor_from_settings
from audionas.features.physical_units import frame_step_ms, frames_ms, mel_edges_hz, rows_hz

RATE = 8000
COMMON = {"sample_rate_hz": RATE, "length_s": 0.5, "window_ms": 20.0, "hop_ms": 10.0, "crop": "end"}


def extractor(**settings: object) -> Extractor:
    return extractor_from_settings({"extractor": "log_mel", "n_mels": 12, **COMMON, **settings}, "test")


def ms_that_change(extractor: Extractor, first: int, last: int) -> float:
    """From the first to the last sample on which these frames depend: each sample changed in turn, in steps."""
    rng = np.random.default_rng(0)
    clip = rng.normal(size=extractor.length_samples).astype(np.float32)
    before = extractor(clip)[..., first : last + 1]
    read = []
    for sample in range(0, len(clip), 4):
        changed = clip.copy()
        changed[sample : sample + 4] += 5.0
        if not np.allclose(extractor(changed)[..., first : last + 1], before, atol=1e-6):
            read.append(sample)
    return 1000 * (read[-1] + 4 - read[0]) / extractor.rate_hz


@pytest.mark.parametrize(
    ("settings", "first", "last", "ms"),
    [
        ({}, 10, 10, 20.0),  # one window
        ({}, 10, 14, 4 * 10 + 20.0),
        ({"pool": 3}, 4, 5, 5 * 10 + 20.0),  # 6 frames of the transform
        ({"frames": 5, "hop_ms": 12.5}, 2, 2, 7 * 12.5 + 20.0),  # 40 hops in 5 frames of 8
        ({"deltas": 1}, 20, 20, 8 * 10 + 20.0),
        ({"frames": 20, "frames_by": "adaptive"}, 9, 9, 3 * 10 + 20.0),  # of 51 frames the 23rd to the 26th
    ],
)
def test_frames_hold_the_audio_on_which_they_depend(settings: dict, first: int, last: int, ms: float) -> None:
    found = extractor(**settings)
    assert frames_ms(found, first, last) == pytest.approx(ms)
    # The window of a Hann is 0 at its very end, so the last few samples of the span change nothing.
    assert ms - 1.5 <= ms_that_change(found, first, last) <= ms + 0.5


def test_no_more_audio_than_the_input_holds() -> None:
    found = extractor()
    assert frames_ms(found, 0, found.input_shape[2] - 1) == 500.0


def test_the_step_from_frame_to_frame() -> None:
    assert frame_step_ms(extractor()) == 10.0
    assert frame_step_ms(extractor(pool=3)) == 30.0
    assert frame_step_ms(extractor(frames=20, frames_by="adaptive")) == 25.0


def test_an_encoders_frames_are_its_hops_and_its_field() -> None:
    settings = {
        "extractor": "wav2vec", "checkpoint": "nowhere.pt", "sample_rate_hz": 16_000, "length_s": 2.0, "pool": 4,
        "fingerprint": "0" * 64, "width": 512, "hop_samples": 160, "field_samples": 465,
    }  # fmt: skip
    found = extractor_from_settings(settings, "test")
    assert frame_step_ms(found) == 40.0
    assert frames_ms(found, 0, 1) == pytest.approx((7 * 160 + 465) / 16)
    assert rows_hz(found, 0, 511) is None


def test_functionals_have_no_frames_in_time() -> None:
    found = extractor_from_settings({"extractor": "functionals", "sample_rate_hz": RATE, "length_s": 0.5}, "test")
    assert frames_ms(found, 0, 0) is None
    assert frame_step_ms(found) is None


@pytest.mark.parametrize(("n_mels", "fmin", "fmax"), [(12, 0.0, 4000.0), (64, 50.0, 8000.0), (5, 1200.0, 3000.0)])
def test_mel_corners_are_librosas(n_mels: int, fmin: float, fmax: float) -> None:
    expected = librosa.mel_frequencies(n_mels=n_mels + 2, fmin=fmin, fmax=fmax)
    np.testing.assert_allclose(mel_edges_hz(n_mels, fmin, fmax), expected, rtol=1e-9, atol=1e-9)


def test_mel_rows_are_as_wide_as_their_filters() -> None:
    found = extractor(n_mels=6, fmax_hz=3000.0)
    filters = librosa.filters.mel(sr=RATE, n_fft=4096, n_mels=6, fmax=3000.0)
    hz = np.arange(2049) * RATE / 4096
    for first, last in ((0, 0), (1, 3), (0, 5)):
        held = hz[(filters[first : last + 1] > 0).any(axis=0)]
        low, high = rows_hz(found, first, last) or (0.0, 0.0)
        assert low == pytest.approx(held[0], abs=2)
        assert high == pytest.approx(held[-1], abs=2.5)
    assert rows_hz(found, 0, 5) == pytest.approx((0.0, 3000.0))


def test_bins_of_a_spectrogram_are_all_as_wide() -> None:
    settings = {"extractor": "spectrogram", **COMMON, "n_fft": 400, "bins": 100}
    found = extractor_from_settings(settings, "test")  # 20 Hz a bin
    assert rows_hz(found, 0, 99) == (0.0, 99.5 * 20)
    assert rows_hz(found, 10, 14) == (190.0, 290.0)


def test_cepstra_are_no_frequencies() -> None:
    settings = {"extractor": "mfcc", **COMMON, "n_mels": 20, "n_mfcc": 13}
    assert rows_hz(extractor_from_settings(settings, "test"), 0, 3) is None
