"""One suite for every extractor of the table: shape, dtype, and a cache key that sees every setting."""

from __future__ import annotations

import importlib
import importlib.util
import json
import pkgutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import audionas.features
from audionas.features import EXTRACTORS, extractor_from_settings
from audionas.features.extractor import LOADER_SETTINGS, Extractor
from audionas.features.frame_extractor import FrameExtractor
from audionas.features.functionals import Functionals

OTHER: dict[str, Any] = {
    "sample_rate_hz": 8000, "length_s": 1.5, "window_ms": 20.0, "hop_ms": 5.0, "n_fft": 1024,
    "centred": False, "pool": 2, "frames": 16, "pad": "repeat", "crop": "end", "test_windows": "multi",
    "normalise": "global", "n_mels": 24, "fmin_hz": 50.0, "fmax_hz": 3000.0, "log": "natural", "floor": 1e-3,
    "deltas": 2, "n_mfcc": 7, "bins": 30, "mask_padding": True, "layer": "all", "whisper_padding": False,
    "output": "z", "pad_to": 100, "fingerprint": "0" * 64, "width": 7, "hop_samples": 7, "field_samples": 7,
    "n_states": 7, "chunk_samples": 7, "model": "other", "checkpoint": "other", "level": "h1", "trained_on": "other",
    "train_windows": "all", "train_shift_s": 0.5, "test_shift_s": 0.5, "mu_law": 255.0, "mu_law_from": 0,
}  # fmt: skip
PLACES = {"model", "checkpoint", "trained_on"}  # where an encoder lies; its fingerprint is in the key


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """The settings without a default, of each kind that has such: small encoders on disk."""
    path = Path(__file__).parents[1] / "features" / "encoders_on_disk.py"
    spec = importlib.util.spec_from_file_location("encoders_on_disk", path)
    assert spec
    assert spec.loader
    on_disk = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(on_disk)
    folder = tmp_path_factory.mktemp("encoders")
    return {
        "fop": {"checkpoint": str(on_disk.fop(folder / "fop.safetensors"))},
        "ge2e": {"checkpoint": str(on_disk.ge2e(folder / "ge2e.safetensors"))},
        "pretrained": {"model": str(on_disk.transformer(folder / "wav2vec2"))},
        "wav2vec": {"checkpoint": str(on_disk.wav2vec(folder / "wav2vec.pt"))},
    }


@pytest.fixture(params=sorted(EXTRACTORS))
def extractor(request: pytest.FixtureRequest, place: dict[str, dict[str, str]]) -> Extractor:
    asked = {"extractor": request.param, **place.get(request.param, {})}
    return extractor_from_settings(asked, "test").resolve(16_000, [1.0])


def changed(extractor: Extractor, name: str) -> dict[str, Any]:
    """The settings with one of them, by this name, at another value."""
    settings = extractor.settings()
    value = False if name == "log" and extractor.kind == "spectrogram" else OTHER.get(name)
    if name == "window":
        value = "hann" if settings["window"] == "hamming" else "hamming"
    if name == "frames_by":  # cannot change alone
        return settings | {"frames": 16, "crop": "end", "frames_by": "adaptive"}
    beside = {
        "train_shift_s": {"train_windows": "all"},
        "test_shift_s": {"test_windows": "multi"},
        "mu_law": {"log": False},
        "mu_law_from": {"log": False, "mu_law": 255.0},
    }
    settings |= beside.get(name, {})  # cannot change alone either
    if name == "mask_padding":
        value = not settings[name]
    return settings | {name: value}


def test_every_module_with_an_extractor_is_in_the_table() -> None:
    shared = {f"audionas.features.{name}" for name in ("extractor", "stft_extractor", "frame_extractor")}
    for module in pkgutil.iter_modules(audionas.features.__path__, "audionas.features."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, Extractor) and value.__module__ not in shared:
                assert EXTRACTORS.get(value.kind) is value


def test_the_shape_is_the_one_foretold(extractor: Extractor) -> None:
    for n_samples in (500, 799, 16_000, 40_000):
        features = extractor(np.random.default_rng(0).normal(size=n_samples).astype(np.float32))
        assert features.dtype == np.float32
        assert features.flags.c_contiguous
        assert features.shape == (*extractor.input_shape[:2], extractor.n_frames(n_samples))
        assert 1 <= extractor.own_frames(n_samples) <= features.shape[2]
        if isinstance(extractor, FrameExtractor):
            assert features.shape[2] == extractor.own_frames(n_samples)
        else:
            assert features.shape[2] >= extractor.input_shape[2]
        assert np.isfinite(features).all()


def test_a_clip_of_the_whole_length_fills_the_input_with_frames_of_its_own(extractor: Extractor) -> None:
    """But for the frame of a centred transform that is centred on the very end."""
    n_frames = extractor.input_shape[2]
    assert n_frames - 1 <= extractor.own_frames(extractor.length_samples) <= n_frames
    own = [extractor.own_frames(n_samples) for n_samples in range(1, 20_000, 97)]
    assert own == sorted(own)
    assert own[0] == 1


def test_settings_survive_json_and_say_the_input_without_the_encoder(
    extractor: Extractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(extractor), "_facts", lambda _: pytest.fail("looked at the encoder"), raising=False)
    again = extractor_from_settings(json.loads(json.dumps(extractor.settings())), "genotype")
    assert again == extractor
    assert again.is_resolved
    assert (again.key, again.input_shape) == (extractor.key, extractor.input_shape)


def test_the_same_waveform_gives_the_same_bits_and_stays_as_it_was(extractor: Extractor) -> None:
    waveform = np.random.default_rng(0).normal(size=20_000).astype(np.float32)
    before = waveform.copy()
    np.testing.assert_array_equal(extractor(waveform), extractor(waveform))
    np.testing.assert_array_equal(waveform, before)


def test_settings_are_complete_and_every_one_that_changes_numbers_changes_the_key(extractor: Extractor) -> None:
    assert set(extractor.settings()) == {"extractor", *type(extractor).model_fields}
    kept = set(type(extractor).model_fields) - LOADER_SETTINGS - PLACES
    if isinstance(extractor, FrameExtractor | Functionals):  # of whole clips; splits of other lengths share them
        kept.remove("length_s")
    keys = {extractor.key} | {extractor_from_settings(changed(extractor, name), name).key for name in kept}
    assert len(keys) == 1 + len(kept)
    assert all(len(key) == 16 and set(key) <= set("0123456789abcdef") for key in keys)
    for name in set(type(extractor).model_fields) - kept:
        assert extractor_from_settings(changed(extractor, name), name).key == extractor.key


def test_the_code_s_version_and_the_kind_change_the_key(extractor: Extractor, monkeypatch: pytest.MonkeyPatch) -> None:
    before = extractor.key
    monkeypatch.setattr(type(extractor), "version", 10**6)
    assert extractor.key != before


def test_an_extractor_cannot_be_changed(extractor: Extractor) -> None:
    with pytest.raises(ValueError, match="frozen"):
        extractor.pool = 2
