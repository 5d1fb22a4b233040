"""`ReadyNetwork`: what it makes of waveforms equals the network on features that were standardised by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from audionas.audio.manifest import Manifest
from audionas.errors import AudioError
from audionas.experiment import ready_network
from audionas.experiment.ready_network import ReadyNetwork
from audionas.experiment.trained_network import TrainedNetwork
from audionas.features import extractor_from_settings
from audionas.features.log_mel import LogMel
from audionas.models import build_model
from audionas.spaces import BaselineGenotype
from audionas.training.batches import Normaliser
from audionas.training.tasks import task_of

LABELS = ("a", "b", "c")
RATE_HZ = 8000


def make(extractor: LogMel) -> ReadyNetwork:
    """An untrained LSTM with made-up statistics."""
    torch.manual_seed(0)
    genotype = BaselineGenotype.of("lstm", {"hidden": 8})
    network = build_model(genotype, input_shape=extractor.input_shape, n_classes=3).eval()
    rng = np.random.default_rng(0)
    mean, std = rng.normal(size=(1, 8, 1)), rng.uniform(1, 2, size=(1, 8, 1))
    task = task_of(Manifest(Path(), (), LABELS))
    trained = TrainedNetwork(network, Normaliser(mean.astype(np.float32), std.astype(np.float32)), "cpu", task)
    return ReadyNetwork(trained, genotype, extractor, LABELS)


def log_mel(**changes: object) -> LogMel:
    settings = {"extractor": "log_mel", "sample_rate_hz": RATE_HZ, "length_s": 0.5, "n_mels": 8, "pool": 4}
    found = extractor_from_settings(settings | changes, "test").resolve(RATE_HZ, [0.5])
    assert isinstance(found, LogMel)
    return found


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(scale=0.1, size=round(seconds * RATE_HZ)).astype(np.float32)


def test_padding_is_masked_where_the_features_say_so() -> None:
    ready = make(log_mel(mask_padding=True))
    waveform = noise(0.2)
    block, own = ready.extractor(waveform), ready.extractor.own_frames(len(waveform))
    assert own < block.shape[2]
    x = (block - ready.mean.numpy()) / ready.std.numpy()
    x[:, :, own:] = 0
    with torch.no_grad():
        wanted = ready.network(torch.from_numpy(x[None]), torch.tensor([own])).softmax(dim=1).numpy()
        as_module = ready(torch.from_numpy(block[None]), torch.tensor([own])).softmax(dim=1).numpy()
    assert np.allclose(ready.scores([waveform]), wanted, atol=1e-6)
    assert np.allclose(as_module, wanted, atol=1e-6)


def test_windows_of_a_long_clip_are_averaged() -> None:
    ready = make(log_mel(test_windows="multi", test_shift_s=0.25))
    waveform = noise(1.0)
    block, width = ready.extractor(waveform), ready.extractor.input_shape[2]
    shift = ready.extractor.test_shift
    assert shift is not None
    starts = sorted({*range(0, block.shape[2] - width + 1, shift), block.shape[2] - width})
    assert len(starts) > 2
    with torch.no_grad():
        each = [ready(torch.from_numpy(block[None, :, :, start : start + width])).softmax(dim=1) for start in starts]
    assert np.allclose(ready.scores([waveform]), torch.cat(each).mean(dim=0).numpy(), atol=1e-6)


def test_many_clips_are_scored_a_part_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    ready = make(log_mel())
    waveforms = [noise(0.1 * (1 + seed), seed) for seed in range(5)]
    whole = ready.scores(waveforms)
    monkeypatch.setattr(ready_network, "_AT_A_TIME", 2)
    assert np.allclose(ready.scores(iter(waveforms)), whole, atol=1e-6)
    assert ready.scores([]).shape == (0, 3)


def test_files_of_any_rate_and_number_of_channels_are_read(tmp_path: Path) -> None:
    ready = make(log_mel())
    waveform = noise(0.4)
    soundfile.write(tmp_path / "one.wav", waveform, RATE_HZ, subtype="FLOAT")
    soundfile.write(tmp_path / "two.wav", np.stack([waveform, waveform], axis=1), RATE_HZ, subtype="FLOAT")
    found = ready.scores_of_files([tmp_path / "one.wav", str(tmp_path / "two.wav")])
    assert np.allclose(found, ready.scores([waveform, waveform]), atol=1e-6)


def test_what_the_extractor_refuses_is_told_with_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ready = make(log_mel())

    def refuse(_self: LogMel, waveform: np.ndarray) -> np.ndarray:
        raise AudioError(f"got {len(waveform)} samples, one frame needs more")

    monkeypatch.setattr(LogMel, "__call__", refuse)
    soundfile.write(tmp_path / "short.wav", noise(0.01), RATE_HZ)
    with pytest.raises(AudioError, match=r"short.wav: got 80 samples, one frame needs more"):
        ready.scores_of_files([tmp_path / "short.wav"])
    with pytest.raises(AudioError, match=r"^\S*nothing.wav: no such audio file"):
        ready.scores_of_files([tmp_path / "nothing.wav"])
