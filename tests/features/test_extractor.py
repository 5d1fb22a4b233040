"""What all extractors share: the loader's settings, which change no stored number and so no key."""

from __future__ import annotations

import pytest

from audionas.features import load_features
from audionas.features.extractor import LOADER_SETTINGS
from audionas.features.log_mel import LogMel


@pytest.mark.parametrize(("name", "value"), [
    ("mask_padding", True), ("normalise", "global"), ("test_windows", "multi"),
])  # fmt: skip
def test_settings_of_the_loader_are_settings_and_not_part_of_the_key(name: str, value: object) -> None:
    assert name in LOADER_SETTINGS
    changed = LogMel(length_s=1.0, **{name: value})
    assert changed.settings()[name] == value != LogMel().settings()[name]
    assert changed.key == LogMel(length_s=1.0).key


def test_the_crop_changes_what_is_stored_and_so_the_key() -> None:
    assert LogMel(crop="end").key != LogMel().key


def test_frames_of_log_mel_for_recurrent_networks_are_40_ms_each() -> None:
    extractor = load_features("log_mel_frames").resolve(44_100, [2.0])
    assert extractor.mask_padding
    assert extractor.input_shape == (1, 40, 51)  # centres 0 .. 2 s by 10 ms are 201, by 4: 51
    assert extractor.own_frames(16_000) == 25
