"""What extractors of short-time spectra share: rate and length from the corpus, padding, cropping, own frames."""

from __future__ import annotations

import numpy as np
import pytest

from audionas.errors import SettingsError
from audionas.features import extractor_from_settings
from audionas.features.log_mel import LogMel
from audionas.features.stft_extractor import StftExtractor


@pytest.mark.parametrize(("corpus_hz", "rate_hz"), [(8000, 8000), (16_000, 16_000), (44_100, 16_000)])
def test_the_rate_is_the_corpus_s_but_at_most_16_khz(corpus_hz: int, rate_hz: int) -> None:
    assert LogMel(length_s=1.0).resolve(corpus_hz, []).rate_hz == rate_hz
    assert LogMel(length_s=1.0, sample_rate_hz=22_050).resolve(corpus_hz, []).rate_hz == 22_050


def test_the_length_is_the_95th_percentile_of_the_durations() -> None:
    durations = [float(n) for n in range(1, 22)]  # 1 .. 21 s: the 95th percentile is 20 s
    assert LogMel().resolve(16_000, durations).length_s == 20.0


@pytest.mark.parametrize(("length_s", "pools"), [(0.1, 1), (0.64, 1), (0.65, 2), (1.28, 2), (5.0, 8)])
@pytest.mark.parametrize("rate_hz", [8000, 11_025, 16_000])
@pytest.mark.parametrize("centred", [True, False])
def test_frames_by_length_are_exact_and_the_length_is_rounded_up(
    length_s: float, pools: int, rate_hz: int, centred: bool
) -> None:
    extractor = LogMel(n_mels=20, frames=64, length_s=length_s, centred=centred).resolve(rate_hz, [])
    assert extractor.input_shape == (1, 20, 64)
    assert extractor.length_samples >= length_s * rate_hz * 0.999
    if centred:
        hop = round(rate_hz / 100)
        assert extractor.length_samples in (64 * pools * hop, 64 * (pools + 1) * hop)
    clip = np.zeros(extractor.length_samples, np.float32)
    assert extractor(clip).shape == (1, 20, 64)


@pytest.mark.parametrize("percentile_s", [0.05, 0.3, 0.637, 0.65, 1.0, 4.48, 5.05, 29.9])
def test_an_automatic_length_is_the_95th_percentile_to_a_few_hundredths(percentile_s: float) -> None:
    extractor = LogMel(n_mels=20, frames=64).resolve(16_000, [percentile_s] * 20)
    assert extractor.input_shape == (1, 20, 64)
    assert 0 <= extractor.length_s - percentile_s <= 64 * max(1, round(percentile_s / 0.64)) / 16_000
    assert extractor.hop_samples == round(extractor.hop_ms * 16)


def test_resolving_twice_changes_nothing() -> None:
    once = LogMel(frames=64).resolve(11_025, [1.234, 3.21])
    assert once.resolve(8000, [9.0]) == once
    assert extractor_from_settings(once.settings(), "test") == once


def test_a_short_clip_is_padded_with_zeros_or_by_repetition() -> None:
    ramp = np.arange(1, 1001, dtype=np.float32)
    zero = LogMel(length_s=0.3).resolve(8000, [])
    repeat = LogMel(length_s=0.3, pad="repeat").resolve(8000, [])
    np.testing.assert_array_equal(zero(ramp), zero(np.concatenate([ramp, np.zeros(1400, np.float32)])))
    np.testing.assert_array_equal(repeat(ramp), zero(np.concatenate([ramp, ramp, ramp[:400]])))


@pytest.mark.parametrize("n_samples", [1, 100, 2400, 2401, 5555, 10_000])
@pytest.mark.parametrize("settings", [{}, {"pool": 3}, {"frames": 7}, {"frames": 7, "crop": "end"}, {"crop": "end"}])
def test_n_frames_foretells_the_frames_of_every_clip(n_samples: int, settings: dict[str, object]) -> None:
    extractor = LogMel(n_mels=20, length_s=0.3, **settings).resolve(8000, [])
    shape = extractor(np.zeros(n_samples, np.float32)).shape
    assert shape[2] == extractor.n_frames(n_samples) >= extractor.input_shape[2]
    if extractor.crop == "end":
        assert shape == extractor.input_shape


def test_an_unresolved_extractor_says_so() -> None:
    for use in (lambda e: e.input_shape, lambda e: e.rate_hz, lambda e: e(np.zeros(10, np.float32))):
        with pytest.raises(SettingsError, match="log_mel: rate or length is still auto; call resolve"):
            use(LogMel())
    with pytest.raises(SettingsError, match="length_s is auto, and there are no clips"):
        LogMel().resolve(16_000, [])


def test_a_length_below_one_window_is_refused_where_nothing_pads_it() -> None:
    with pytest.raises(SettingsError, match="shorter than one window"):
        LogMel(length_s=0.01, centred=False, crop="end").resolve(16_000, [])


@pytest.mark.parametrize(("settings", "words"), [
    ({"frames": 64, "pool": 2}, "give frames or pool, not both"),
    ({"frames_by": "adaptive"}, "adaptive needs a number of frames and crop: end"),
])  # fmt: skip
def test_framings_that_contradict_themselves_are_refused(settings: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=words) as error:
        extractor_from_settings({"extractor": "log_mel", **settings}, "my.yaml")
    assert str(error.value).startswith("my.yaml: ")
    assert isinstance(LogMel(), StftExtractor)


@pytest.mark.parametrize(("settings", "n_samples", "own"), [
    ({}, 1600, 20),  # a hop of 80: centres 0, 80 .. 1520 lie before sample 1600
    ({}, 1601, 21),
    ({}, 1, 1),
    ({}, 9999, 125),  # longer than the length, which is not cut
    ({"crop": "end"}, 9999, 30),  # cut at 2400 samples
    ({"centred": False}, 1600, 20),  # starts 0, 80 .. 1520
    ({"pool": 3}, 1600, 7),  # 20 frames: 6 whole averages and one that holds 2 of them
    ({"frames": 10}, 1600, 7),  # averages of 3
    ({"frames": 7, "frames_by": "adaptive", "crop": "end"}, 1600, 5),  # 20 of 31 frames: ceil(20 / 31 * 7)
    ({"pad": "repeat"}, 1600, 31),
    ({"pad": "repeat", "pool": 3}, 1, 11),
])  # fmt: skip
def test_own_frames_lie_within_the_clip(settings: dict[str, object], n_samples: int, own: int) -> None:
    extractor = LogMel(n_mels=20, length_s=0.3, **settings).resolve(8000, [])
    assert extractor.own_frames(n_samples) == own


@pytest.mark.parametrize("settings", [{"centred": False}, {"centred": False, "pool": 4}, {"n_fft": 200, "pool": 2}])
def test_frames_that_are_not_own_hold_no_sample_of_the_clip(settings: dict[str, object]) -> None:
    """With a hop of the window's length, or of centred halves, later frames are the floor."""
    extractor = LogMel(n_mels=8, length_s=0.4, hop_ms=25.0, floor=1e-8, **settings).resolve(8000, [])
    clip = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    features = extractor(clip)
    own = extractor.own_frames(len(clip))
    assert own < features.shape[2]
    rest = features[..., own + (0 if extractor.centred is False else 1) :]
    np.testing.assert_allclose(rest, -80.0, atol=1e-4)
    assert (features[..., :own].max(axis=1) > -80).all()
