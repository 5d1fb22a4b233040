"""One suite for every extractor of the table: shape, dtype, and a cache key that sees every setting."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import numpy as np
import pytest

import audionas.features
from audionas.features import EXTRACTORS, extractor_from_settings
from audionas.features.extractor import StftExtractor

OTHER: dict[str, Any] = {
    "sample_rate_hz": 8000, "length_s": 1.5, "window_ms": 20.0, "hop_ms": 5.0, "n_fft": 1024,
    "centred": False, "pool": 2, "frames": 16, "pad": "repeat", "crop": "end", "test_windows": "multi",
    "normalise": "global", "n_mels": 24, "fmin_hz": 50.0, "fmax_hz": 3000.0, "log": "natural", "floor": 1e-3,
    "deltas": 1, "n_mfcc": 7, "bins": 30,
}  # fmt: skip


@pytest.fixture(params=sorted(EXTRACTORS))
def extractor(request: pytest.FixtureRequest) -> StftExtractor:
    return EXTRACTORS[request.param]().resolve(16_000, [1.0])


def changed(extractor: StftExtractor, name: str) -> dict[str, Any]:
    """The settings with one of them, by this name, at another value."""
    settings = extractor.settings()
    other = {"window": "hann" if settings["window"] == "hamming" else "hamming", "log": False}
    value = other[name] if name in other and extractor.kind == "spectrogram" else OTHER.get(name)
    value = other["window"] if name == "window" else value
    if name == "frames_by":  # cannot change alone
        return settings | {"frames": 16, "crop": "end", "frames_by": "adaptive"}
    return settings | {name: value}


def test_every_module_with_an_extractor_is_in_the_table() -> None:
    shared = {"audionas.features.extractor"}
    for module in pkgutil.iter_modules(audionas.features.__path__, "audionas.features."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, StftExtractor) and value.__module__ not in shared:
                assert EXTRACTORS.get(value.kind) is value


def test_the_shape_is_the_one_foretold(extractor: StftExtractor) -> None:
    for n_samples in (1, 399, 16_000, 40_000):
        features = extractor(np.random.default_rng(0).normal(size=n_samples).astype(np.float32))
        assert features.dtype == np.float32
        assert features.flags.c_contiguous
        assert features.shape == (*extractor.input_shape[:2], extractor.n_frames(n_samples))
        assert features.shape[2] >= extractor.input_shape[2]
        assert np.isfinite(features).all()


def test_the_same_waveform_gives_the_same_bits_and_stays_as_it_was(extractor: StftExtractor) -> None:
    waveform = np.random.default_rng(0).normal(size=20_000).astype(np.float32)
    before = waveform.copy()
    np.testing.assert_array_equal(extractor(waveform), extractor(waveform))
    np.testing.assert_array_equal(waveform, before)


def test_settings_are_complete_and_every_one_changes_the_key(extractor: StftExtractor) -> None:
    assert set(extractor.settings()) == {"extractor", *type(extractor).model_fields}
    keys = {extractor.key}
    for name in type(extractor).model_fields:
        keys.add(extractor_from_settings(changed(extractor, name), name).key)
    assert len(keys) == 1 + len(type(extractor).model_fields)
    assert all(len(key) == 16 and set(key) <= set("0123456789abcdef") for key in keys)


def test_the_code_s_version_and_the_kind_change_the_key(
    extractor: StftExtractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = extractor.key
    monkeypatch.setattr(type(extractor), "version", 10**6)
    assert extractor.key != before


def test_an_extractor_cannot_be_changed(extractor: StftExtractor) -> None:
    with pytest.raises(ValueError, match="frozen"):
        extractor.pad = "repeat"
