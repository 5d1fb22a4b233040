"""Frames of an encoder that was pre-trained here: its levels written out, its places, its refusals."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import ModuleType

import librosa
import numpy as np
import pytest
import torch

from audionas.errors import SettingsError
from audionas.features import encoder_note, load_features
from audionas.features.fop import Fop
from audionas.features.fop_weights import load_fop_weights


@pytest.fixture
def weights(on_disk: ModuleType, tmp_path: Path) -> Path:
    return Path(on_disk.fop(tmp_path / "weights.safetensors"))


@pytest.mark.parametrize(
    ("level", "width"),
    [("F", 12), ("h1", 8), ("h2", 8), ("last", 8), ("h_add", 8), ("h_add_without_F", 8), ("h_concat", 28),
     ("h_concat_embedded", 24)],
)  # fmt: skip
def test_levels_are_those_of_the_network_over_librosa_s_mel_bands(
    weights: Path, noise: np.ndarray, level: str, width: int
) -> None:
    found = load_fop_weights(weights)
    power = librosa.feature.melspectrogram(
        y=noise, sr=16_000, n_fft=512, win_length=400, hop_length=160, n_mels=12, pad_mode="constant"
    )
    mel = librosa.power_to_db(power, amin=1e-10, top_db=None)[:, :120].T
    raw = ((torch.from_numpy(mel) - found.mean) / found.std)[None]
    with torch.inference_mode():
        p, h1, h2 = found.encoder.levels(raw)
        expected = {
            "F": raw, "h1": h1, "h2": h2, "last": h2, "h_add": p + h1 + h2, "h_add_without_F": h1 + h2,
            "h_concat": torch.cat([raw, h1, h2], dim=2), "h_concat_embedded": torch.cat([p, h1, h2], dim=2),
        }[level]  # fmt: skip
    extractor = load_features(f"fop:{weights}@{level}").resolve(44_100, [1.0])
    assert extractor.input_shape == (1, width, 100)
    ours = extractor(noise)
    assert ours.shape == (1, width, 120)
    np.testing.assert_allclose(ours[0].T, expected[0].numpy(), atol=2e-3)


def test_a_frame_knows_of_none_whose_window_begins_after_it(weights: Path, noise: np.ndarray) -> None:
    extractor = load_features(f"fop:{weights}").resolve(16_000, [1.0])
    other = noise.copy()
    other[9_600:] *= -0.5
    moved = np.abs(extractor(noise) - extractor(other))[0].max(axis=0)
    assert moved[:59].max() == 0  # the window of frame 59, 9,440 +- 200 samples, is the first to reach 9,600
    assert moved[59:].min() > 0


def test_it_says_what_it_was_trained_on(on_disk: ModuleType, tmp_path: Path) -> None:
    path = on_disk.fop(tmp_path / "w.safetensors", trained_on="mine: 3 clips, 0.01 h, nothing left out")
    resolved = load_features(f"fop:{path}").resolve(16_000, [1.0])
    assert encoder_note(resolved.settings()) == "fop: pre-trained here on mine: 3 clips, 0.01 h, nothing left out."
    assert encoder_note({"extractor": "fop"}) == "fop: pre-trained here on unknown audio."
    # embedding; per layer attention, two norms, feed-forward
    layer = 8 * 24 + 24 + 8 * 8 + 8 + 4 * 8 + 8 * 7 + 7 + 7 * 8 + 8
    assert resolved.front_end_parameters() == 12 * 8 + 8 + 2 * layer


def test_each_split_takes_the_weights_that_left_it_out(weights: Path, tmp_path: Path) -> None:
    run = tmp_path / "pre"
    for name in ("split_1", "split_2"):
        (run / name).mkdir(parents=True)
        shutil.copy(weights, run / name / "weights.safetensors")
    asked = load_features(f"fop:{run}@h1")
    assert isinstance(asked, Fop)
    own = asked.of_split("2")
    assert (own.checkpoint, own.level) == (str(run / "split_2" / "weights.safetensors"), "h1")
    assert own.of_split("1") == own
    with pytest.raises(SettingsError, match=r"no split_3/weights\.safetensors; pre-train with this corpus's folds"):
        asked.of_split("3")
    with pytest.raises(
        SettingsError, match="holds weights of several splits, give the folder of one: split_1, split_2"
    ):
        asked.resolve(16_000, [1.0])
    folder = load_features(f"fop:{run / 'split_1'}")
    assert folder.of_split("2") == folder
    assert folder.resolve(16_000, [1.0]).key == load_features(f"fop:{weights}").resolve(16_000, [1.0]).key


def test_what_cannot_be_used_is_one_line(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no such weights; give the weights\.safetensors that audionas pretrain"):
        load_features(f"fop:{tmp_path / 'no'}").resolve(16_000, [1.0])
    (tmp_path / "empty").mkdir()
    with pytest.raises(SettingsError, match=r"no weights\.safetensors in it; give what audionas pretrain left"):
        load_features(f"fop:{tmp_path / 'empty'}").resolve(16_000, [1.0])
    with pytest.raises(SettingsError, match=r"unknown level 'h3'.*; known: F, h1, h2, h_add"):
        load_features(f"fop:{weights}@h3").resolve(16_000, [1.0])
    with pytest.raises(SettingsError, match="level: got 'g1'"):
        load_features(f"fop:{weights}@g1")
