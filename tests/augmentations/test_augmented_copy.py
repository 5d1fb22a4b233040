"""A copy depends on seed, clip and number alone; every transform runs and does what it says."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from audionas.audio.manifest import Clip
from audionas.audio.noise import read_noise_folder
from audionas.augmentations import AugmentedCopy, import_audiomentations
from audionas.augmentations.waveform_augmentation import WaveformAugmentation
from audionas.errors import SettingsError

RATE = 16000
TRANSFORMS: dict[str, dict[str, Any]] = {
    "speed": {"rate": [0.8, 0.9]},
    "room": {},
    "impulse_response": {"folder": ""},
    "background_noise": {"folder": ""},
    "noise": {},
    "gain": {"gain_db": [3, 6]},
    "codec": {},
}


def clip(name: str = "a") -> Clip:
    return Clip(f"{name}.wav", "x", sha256=name * 8)


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.asarray(0.2 * np.sin(np.arange(RATE) / 9) + 0.01 * rng.normal(size=RATE), dtype=np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("noise")
    soundfile.write(place / "n.wav", np.random.default_rng(1).normal(size=RATE) * np.exp(-np.arange(RATE) / 500), RATE)
    return place


def copy(folder: Path, number: int = 1, seed: int = 0, **transforms: dict[str, Any]) -> AugmentedCopy:
    settings = {
        name: {"p": 1.0, **values, **({"folder": str(folder)} if "folder" in values else {})}
        for name, values in transforms.items()
    }
    augmentation = WaveformAugmentation.model_validate({"copies": 3, "seed": seed, **settings})
    folders = {name: read_noise_folder(path, folder / "journal") for name, path in augmentation.folders.items()}
    return AugmentedCopy(augmentation, number, folders)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_every_transform_changes_a_clip_and_does_so_again(name: str, speech: np.ndarray, folder: Path) -> None:
    first, again = (copy(folder, **{name: TRANSFORMS[name]})(speech, RATE, clip()) for _ in range(2))
    assert first.dtype == np.float32
    assert np.array_equal(first, again), "two processes, or a killed one, make the same copy"
    assert len(first) != len(speech) or not np.allclose(first, speech, atol=1e-4)
    if name in ("speed", "room", "background_noise", "noise"):  # of the others little is drawn, or one file is there
        others = [copy(folder, 2, **{name: TRANSFORMS[name]}), copy(folder, seed=1, **{name: TRANSFORMS[name]})]
        assert not any(np.array_equal(first, other(speech, RATE, clip())) for other in others)
        assert not np.array_equal(first, copy(folder, **{name: TRANSFORMS[name]})(speech, RATE, clip("b")))


def test_the_table_of_transforms_is_whole() -> None:
    assert set(TRANSFORMS) == set(WaveformAugmentation.model_fields) - {"copies", "seed"}


def test_white_noise_has_the_snr_asked_for(speech: np.ndarray, folder: Path) -> None:
    added = copy(folder, noise={"snr_db": [12, 12]})(speech, RATE, clip()).astype(np.float64) - speech
    snr_db = 10 * np.log10(np.mean(speech.astype(np.float64) ** 2) / np.mean(added**2))
    assert snr_db == pytest.approx(12, abs=0.2)


def test_speed_changes_the_length_and_gain_the_level(speech: np.ndarray, folder: Path) -> None:
    slow = copy(folder, speed={"rate": [0.8, 0.8]})(speech, RATE, clip())
    assert len(slow) == pytest.approx(len(speech) / 0.8, rel=0.01)
    loud = copy(folder, gain={"gain_db": [6, 6]})(speech, RATE, clip())
    assert loud == pytest.approx(speech * 10 ** (6 / 20), rel=1e-4)


def test_a_step_of_probability_zero_is_never_taken(speech: np.ndarray, folder: Path) -> None:
    assert np.array_equal(copy(folder, gain={"p": 0.0})(speech, RATE, clip()), speech)


def test_the_global_generators_are_left_as_they_were(speech: np.ndarray, folder: Path) -> None:
    random.seed(3)
    np.random.seed(3)  # noqa: NPY002
    before = (random.getstate(), np.random.get_state()[1].tolist())  # type: ignore[index] # noqa: NPY002
    copy(folder, noise={}, speed={})(speech, RATE, clip())
    assert before == (random.getstate(), np.random.get_state()[1].tolist())  # type: ignore[index] # noqa: NPY002


def test_silence_stays_silence(folder: Path) -> None:
    assert not copy(folder, noise={}, room={})(np.zeros(4000, np.float32), RATE, clip()).any()


def test_the_key_changes_with_settings_number_and_the_folders_content_but_not_its_place(
    folder: Path, tmp_path: Path
) -> None:
    base = copy(folder, background_noise={"folder": ""})
    twin = tmp_path / "elsewhere"
    twin.mkdir()
    (twin / "other_name.wav").write_bytes((folder / "n.wav").read_bytes())
    assert copy(twin, background_noise={"folder": ""}).key == base.key
    soundfile.write(twin / "more.wav", np.random.default_rng(2).normal(size=800) * 0.1, RATE)
    changed = [
        copy(twin, background_noise={"folder": ""}),
        copy(folder, 2, background_noise={"folder": ""}),
        copy(folder, seed=1, background_noise={"folder": ""}),
        copy(folder, background_noise={"folder": "", "snr_db": [0, 1]}),
        copy(folder, background_noise={"folder": ""}, gain={}),
    ]
    assert len({base.key, *(other.key for other in changed)}) == len(changed) + 1
    more = base.augmentation.model_copy(update={"copies": 9})
    assert AugmentedCopy(more, 1, base.folders).key == base.key, "a third copy leaves the first two as they are"


def test_a_missing_library_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "audiomentations", None)
    with pytest.raises(SettingsError, match=r"augment needs a library .*: pip install 'audionas\[augment\]'"):
        import_audiomentations()
