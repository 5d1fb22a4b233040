"""What all extractors share: the loader's settings, which change no stored number and so no key."""

from __future__ import annotations

import pytest

from audionas.errors import SettingsError
from audionas.features import extractor_from_settings, load_features
from audionas.features.extractor import LOADER_SETTINGS
from audionas.features.log_mel import LogMel


@pytest.mark.parametrize(("name", "value"), [
    ("mask_padding", True), ("normalise", "global"), ("test_windows", "multi"), ("train_windows", "all"),
])  # fmt: skip
def test_settings_of_the_loader_are_settings_and_not_part_of_the_key(name: str, value: object) -> None:
    assert name in LOADER_SETTINGS
    changed = LogMel(length_s=1.0, **{name: value})
    assert changed.settings()[name] == value != LogMel().settings()[name]
    assert changed.key == LogMel(length_s=1.0).key


def test_shifts_of_windows_are_frames_of_the_input_and_half_of_it_by_default() -> None:
    plain = LogMel(length_s=2.0, frames=200).resolve(16_000, [])
    assert (plain.train_shift, plain.test_shift) == (None, None)
    half = LogMel(length_s=2.0, frames=200, train_windows="all").resolve(16_000, [])
    assert (half.train_shift, half.test_shift) == (100, None)
    given = {"train_windows": "all", "train_shift_s": 0.75, "test_windows": "multi", "test_shift_s": 0.4}
    found = LogMel(length_s=2.0, frames=200, **given).resolve(16_000, [])  # type: ignore[arg-type]
    assert (found.train_shift, found.test_shift) == (75, 40)
    assert found.key == plain.key
    least = LogMel(length_s=2.0, frames=200, test_windows="multi", test_shift_s=1e-4).resolve(16_000, [])
    assert least.test_shift == 1


@pytest.mark.parametrize(("settings", "words"), [
    ({"train_shift_s": 1.0}, "train_shift_s: is for train_windows: all"),
    ({"test_shift_s": 1.0}, "test_shift_s: is for test_windows: multi"),
    ({"test_shift_s": 0.0, "test_windows": "multi"}, "test_shift_s: got 0.0, must be above 0"),
    ({"train_windows": "every"}, "train_windows: got 'every', must be 'random' or 'all'"),
])  # fmt: skip
def test_shifts_without_windows_to_shift_are_refused(settings: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        extractor_from_settings({"extractor": "log_mel", **settings}, "mine.yaml")


def test_windows_between_which_audio_would_be_left_out_are_refused_once_the_length_is_known() -> None:
    asked = LogMel(train_windows="all", train_shift_s=2.5)
    words = "log_mel: train_shift_s: got 2.5, must be at most length_s, 2; between the windows audio would be left out"
    with pytest.raises(SettingsError, match=words):
        asked.resolve(16_000, [2.0])
    assert asked.resolve(16_000, [2.5]).train_shift


def test_the_crop_changes_what_is_stored_and_so_the_key() -> None:
    assert LogMel(crop="end").key != LogMel().key


def test_frames_of_log_mel_for_recurrent_networks_are_40_ms_each() -> None:
    extractor = load_features("log_mel_frames").resolve(44_100, [2.0])
    assert extractor.mask_padding
    assert extractor.input_shape == (1, 40, 51)  # centres 0 .. 2 s by 10 ms are 201, by 4: 51
    assert extractor.own_frames(16_000) == 25
