"""Frames as the audio comes: together exactly the clip's own frames of the extractor, however the audio is cut."""

from __future__ import annotations

import numpy as np
import pytest

from audionas.errors import SettingsError
from audionas.features import extractor_from_settings
from audionas.features.extractor import Extractor
from audionas.features.frame_feed import FrameFeed


def extractor(**settings: object) -> Extractor:
    given = {"extractor": "log_mel", "sample_rate_hz": 8000, "length_s": 0.5, "n_mels": 8, "pool": 4, **settings}
    if given["extractor"] == "spectrogram":
        given.pop("n_mels")
    return extractor_from_settings(given, "test").resolve(8000, [0.5])


def audio(n_samples: int) -> np.ndarray:
    return np.random.default_rng(n_samples).normal(size=n_samples).astype(np.float32)


@pytest.mark.parametrize("n_samples", [1, 79, 1000, 3999, 4000, 4321, 9001])
@pytest.mark.parametrize(
    "settings",
    [{}, {"pool": 1}, {"centred": False}, {"extractor": "mfcc", "n_mfcc": 5}, {"extractor": "spectrogram", "bins": 20}],
)
def test_frames_of_chunks_are_those_of_the_whole_clip(settings: dict[str, object], n_samples: int) -> None:
    e, clip = extractor(**settings), audio(n_samples)
    feed, rng, frames, start = FrameFeed(e), np.random.default_rng(0), [], 0
    while start < n_samples:
        n = int(rng.integers(1, 700))
        frames.append(feed.push(clip[start : start + n]))
        start += n
    found = np.concatenate([*frames, feed.finish()], axis=2)
    expected = e(clip)[:, :, : e.own_frames(n_samples)]
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)


def test_a_frame_comes_as_soon_as_its_audio_is_there() -> None:
    """Windows of 256 samples every 80, centred: the fourth ends at 3 * 80 + 128 = 368 samples."""
    feed = FrameFeed(extractor())
    assert feed.push(audio(367)).shape == (1, 8, 0)
    assert feed.push(audio(1)).shape == (1, 8, 1)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"deltas": 1}, "features with deltas read later frames"),
        ({"frames": 8, "pool": 1}, "fixed number of frames need the whole clip"),
        ({"crop": "end"}, "crop: end"),
        ({"pad": "repeat"}, "pad: repeat"),
        ({"extractor": "spectrogram", "log": False, "mu_law": 255.0}, "mu_law need the whole clip"),
        ({"extractor": "functionals", "n_mfcc": 4}, "of the kind functionals need the whole clip"),
    ],
)
def test_features_that_need_the_whole_clip_are_refused(settings: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=f"streaming: .*{words}"):
        FrameFeed(extractor(**settings))


def test_no_audio_has_no_frames() -> None:
    with pytest.raises(SettingsError, match="no audio came"):
        FrameFeed(extractor()).finish()
