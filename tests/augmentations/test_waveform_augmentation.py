"""Settings of augmentation: strict, ordered as a recording is, folders meant from the YAML's place."""

from __future__ import annotations

from pathlib import Path

import pytest

from audionas import shipped
from audionas.augmentations import load_augmentation
from audionas.augmentations.waveform_augmentation import WaveformAugmentation, augmentation_from
from audionas.errors import SettingsError
from audionas.search.strategy import Strategy, load_strategy


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", shipped.names("augmentations"))
def test_every_shipped_augmentation_is_valid(name: str) -> None:
    assert load_augmentation(name).transforms


def test_transforms_are_applied_in_the_order_of_a_recording_whatever_the_file_says(tmp_path: Path) -> None:
    found = load_augmentation(write(tmp_path, "codec: {}\nnoise: {}\nspeed: {}\n"))
    assert list(found.transforms) == ["speed", "noise", "codec"]


def test_a_folder_is_meant_from_the_files_place(tmp_path: Path) -> None:
    found = load_augmentation(write(tmp_path, "background_noise: {folder: cafe}\n"))
    assert found.folders == {"background_noise": (tmp_path / "cafe").resolve()}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("copies: 1\n", "no transform given; accepted: speed, room"),
        ("noise: {snr: [1, 2]}\n", r"unknown key 'noise.snr'"),
        ("noise: {snr_db: [20, 10]}\n", "the lower bound must stand first"),
        ("noise: {p: 2}\n", r"noise.p: got 2, must be at most 1"),
        ("copies: 0\nnoise: {}\n", "copies: got 0, must be at least 1"),
        ("speed: {rate: [0.1, 1]}\n", "must be at least 0.5"),
        ("background_noise: {}\n", "'background_noise.folder' is missing"),
        ("reverb: {}\nnoise: {}\n", "unknown key 'reverb'"),
    ],
)
def test_wrong_settings_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        load_augmentation(write(tmp_path, text))


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match=r"unknown augmentation 'speach' \(did you mean 'speech'\?\)"):
        load_augmentation("speach")


def test_a_strategy_names_an_augmentation_or_holds_its_settings() -> None:
    base = load_strategy("random")
    named = base.replace(augment="noise")
    assert isinstance(named.augment, WaveformAugmentation)
    assert named.augment == load_augmentation("noise")
    again = Strategy.model_validate(named.to_settings())
    assert again.augment == named.augment, "a run folder's strategy.yaml gives the same copies"
    assert base.replace(augment={"gain": {"gain_db": [-1, 1]}}).augment is not None
    assert "augment" not in base.to_settings()
    with pytest.raises(SettingsError, match="unknown augmentation 'nope'"):
        base.replace(augment="nope")
    with pytest.raises(SettingsError, match="augment: got 3, must be a name"):
        augmentation_from(3)
