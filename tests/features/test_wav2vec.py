"""Frames of wav2vec 1.0 against an independent forward, and the paper's padding and pooling."""

from __future__ import annotations

import math
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from audionas.errors import AudioError, SettingsError
from audionas.features import extractor_from_settings, load_features
from audionas.features.wav2vec import Wav2vec, frames


@pytest.fixture(scope="session")
def checkpoint(on_disk: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = on_disk.wav2vec(tmp_path_factory.mktemp("wav2vec") / "tiny.pt")
    return path


def independent(on_disk: ModuleType, clip: np.ndarray, residual_scale: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """z and c (hidden, frames) in float64, written out from the paper and fairseq's description."""
    weights = on_disk.wav2vec_weights(on_disk.ENCODER, on_disk.AGGREGATOR)
    weights = {name: value.double() for name, value in weights.items()}

    def normed(x: torch.Tensor, name: str) -> torch.Tensor:
        scaled = (x - x.mean()) / torch.sqrt(x.var(unbiased=False) + 1e-5)
        return torch.relu(scaled * weights[f"{name}.weight"][:, None] + weights[f"{name}.bias"][:, None])

    x = torch.from_numpy(clip).double()[None]
    for i, (_, _, stride) in enumerate(on_disk.ENCODER):
        name = f"feature_extractor.conv_layers.{i}"
        x = normed(functional.conv1d(x, weights[f"{name}.0.weight"], stride=stride), f"{name}.2")
    z = torch.log(torch.abs(x) + 1)
    c = z
    for i, (_, kernel, _) in enumerate(on_disk.AGGREGATOR):
        name = f"feature_aggregator.conv_layers.{i}"
        padded = torch.cat([c[:, :1].repeat(1, kernel - 1), c], dim=1)
        y = functional.conv1d(padded, weights[f"{name}.1.weight"], weights[f"{name}.1.bias"])
        c = (normed(y, f"{name}.3") + c) * math.sqrt(residual_scale)
    return z.numpy(), c.numpy()


@pytest.mark.parametrize(("n_samples", "n_frames"), [
    (0, 0), (1, 0), (464, 0), (465, 1), (624, 1), (625, 2), (16_000, 98), (466_065, 2911), (466_064, 2910),
])  # fmt: skip
def test_frames_are_floor_of_n_minus_465_by_160_plus_1(n_samples: int, n_frames: int) -> None:
    assert frames(n_samples) == n_frames


@pytest.mark.parametrize("n_samples", [465, 625, 5000, 19_200])
def test_z_and_c_equal_an_independent_forward(
    on_disk: ModuleType, checkpoint: Path, noise: np.ndarray, n_samples: int
) -> None:
    for output, expected in zip("zc", independent(on_disk, noise[:n_samples]), strict=True):
        extractor = Wav2vec(checkpoint=str(checkpoint), output=output).resolve(8000, [1.2])
        ours = extractor(noise[:n_samples])
        assert ours.shape == (1, 6, frames(n_samples)) == (1, 6, extractor.own_frames(n_samples))
        np.testing.assert_allclose(ours[0], expected, atol=1e-4)
    assert extractor.input_shape == (1, 6, frames(19_200))


def test_the_context_is_causal(checkpoint: Path, noise: np.ndarray) -> None:
    """Apart from the norms over time, which see the whole clip: so only the shapes of padding are checked here."""
    from audionas.features.wav2vec_checkpoint import load_wav2vec

    aggregator = load_wav2vec(str(checkpoint)).network.feature_aggregator
    pad, convolution = aggregator.conv_layers[2][0], aggregator.conv_layers[2][1]
    z = torch.from_numpy(noise[:600].reshape(1, 6, 100))
    changed = z.clone()
    changed[..., 60:] += 1
    before, after = convolution(pad(z)), convolution(pad(changed))
    assert before.shape == z.shape
    torch.testing.assert_close(before[..., :60], after[..., :60])


def test_options_of_the_checkpoint_are_followed(on_disk: ModuleType, tmp_path: Path, noise: np.ndarray) -> None:
    path = on_disk.wav2vec(tmp_path / "other.pt", residual_scale=0.25)
    _, expected = independent(on_disk, noise, residual_scale=0.25)
    np.testing.assert_allclose(Wav2vec(checkpoint=str(path)).resolve(8000, [1.0])(noise)[0], expected, atol=1e-4)


def paper(checkpoint: Path, **settings: Any) -> Wav2vec:
    asked = load_features(f"emotionnas_wav2vec:{checkpoint}").settings() | settings
    extractor = extractor_from_settings(asked, "test").resolve(44_100, [3.0])
    assert isinstance(extractor, Wav2vec)
    return extractor


def test_the_paper_s_padding_is_2911_frames_averaged_by_4_to_727(checkpoint: Path, noise: np.ndarray) -> None:
    extractor = paper(checkpoint)
    assert extractor.input_shape == (1, 6, 727)
    assert extractor.length_samples == 466_065
    assert not extractor.mask_padding
    whole = Wav2vec(checkpoint=str(checkpoint)).resolve(16_000, [1.0])(noise)[0]
    padded = np.zeros((6, 2911), np.float32)
    padded[:, : whole.shape[1]] = whole  # 118 frames: 29 whole averages and one of 2 frames and 2 zeros
    expected = padded[:, :2908].reshape(6, 727, 4).mean(axis=2)
    ours = extractor(noise)[0]
    assert ours.shape[1] == extractor.own_frames(len(noise)) == 30
    np.testing.assert_allclose(ours, expected[:, :30], atol=1e-6)
    assert (expected[:, 30:] == 0).all()


def test_a_clip_of_all_2911_frames_loses_the_rest_of_less_than_a_pool(checkpoint: Path) -> None:
    extractor = paper(checkpoint)
    assert extractor.own_frames(466_065) == extractor.own_frames(900_000) == 727  # of the 728th only 3 frames
    assert extractor.own_frames(465) == 1
    random = paper(checkpoint, crop="random")
    assert random.input_shape == (1, 6, 727)
    assert random.own_frames(466_065 + 160) == 728  # 2,912 frames


def test_padding_can_be_to_the_longest_training_clip(checkpoint: Path) -> None:
    extractor = paper(checkpoint, pad_to="auto")
    assert extractor.pad_to == frames(48_000) == 298
    assert extractor.input_shape == (1, 6, 74)
    assert extractor.resolve(16_000, [9.0]) == extractor


def test_a_network_of_512_gives_the_paper_s_727_by_512(on_disk: ModuleType, tmp_path: Path, noise: np.ndarray) -> None:
    """The real widths, with weights drawn at random; layers are those that a checkpoint without options has."""
    from audionas.features.wav2vec_network import Wav2vecShape

    usual = Wav2vecShape()
    assert [kernel for _, kernel, _ in usual.aggregator] == list(range(2, 14))
    weights = on_disk.wav2vec_weights(list(usual.encoder), list(usual.aggregator))
    torch.save({"model": weights}, tmp_path / "large.pt")
    extractor = paper(tmp_path / "large.pt")
    assert extractor.input_shape == (1, 512, 727)
    assert extractor(noise[:4000]).shape == (1, 512, 6)  # 23 frames


def test_what_contradicts_itself_is_one_line(checkpoint: Path) -> None:
    with pytest.raises(SettingsError, match="wav2vec: give length_s or pad_to, not both: pad_to sets the length"):
        paper(checkpoint, length_s=2.0)
    with pytest.raises(SettingsError, match="pad_to: got 3 frames, must be at least the pool of 4"):
        paper(checkpoint, pad_to=3)
    with pytest.raises(AudioError, match="wav2vec: got 464 samples at 16000 Hz, one frame needs 465"):
        paper(checkpoint)(np.zeros(464, np.float32))


def test_another_checkpoint_of_the_same_name_is_noticed(on_disk: ModuleType, tmp_path: Path, noise: np.ndarray) -> None:
    path = on_disk.wav2vec(tmp_path / "a.pt")
    extractor = Wav2vec(checkpoint=str(path)).resolve(16_000, [1.0])
    on_disk.wav2vec(path, residual_scale=0.125)
    with pytest.raises(SettingsError, match=r"fingerprint: got .*, .*a\.pt has .*; give the encoder"):
        extractor(noise)
