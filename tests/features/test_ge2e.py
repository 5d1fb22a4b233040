"""Frames of the GE2E speaker encoder against Resemblyzer's."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import librosa
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from audionas.audio.waveform import load_waveform
from audionas.errors import SettingsError
from audionas.features import load_features
from audionas.features.ge2e import Ge2e


@pytest.mark.slow
def test_frames_equal_resemblyzer_s(real_encoders: Path, reference: dict[str, np.ndarray], speech_path: Path) -> None:
    extractor = load_features(f"ge2e:{real_encoders / 'ge2e_resemblyzer_f32.safetensors'}").resolve(48_000, [2.0])
    assert extractor.input_shape == (1, 256, 200)
    waveform = load_waveform(speech_path, 16_000)
    frames = extractor(waveform)
    assert frames.shape == (1, 256, 190) == (1, 256, extractor.own_frames(len(waveform)))
    np.testing.assert_allclose(frames[0].T, reference["ge2e_frames"], atol=1e-5)


@pytest.mark.parametrize(("scale", "n_samples"), [(1.0, 19_200), (0.01, 5000), (0.0, 5000), (1.0, 1)])
def test_frames_are_the_lstm_s_states_over_librosa_s_mel_power(
    on_disk: ModuleType, tmp_path: Path, noise: np.ndarray, scale: float, n_samples: int
) -> None:
    path = on_disk.ge2e(tmp_path / "a.safetensors")
    clip = (noise[:n_samples] * scale).astype(np.float32)
    rms = np.sqrt((clip.astype(np.float64) ** 2).mean())
    raised = clip if rms == 0 else clip * max(1, 10 ** (-30 / 20) / rms)
    mel = librosa.feature.melspectrogram(
        y=np.pad(raised, 200, mode="reflect").astype(np.float32), sr=16_000, n_fft=400, hop_length=160, n_mels=40,
        center=False,
    )  # fmt: skip
    lstm = torch.nn.LSTM(40, 5, 3, batch_first=True)
    lstm.load_state_dict({name.removeprefix("lstm."): value for name, value in load_file(path).items()})
    with torch.inference_mode():
        expected = lstm(torch.from_numpy(mel.T[None]))[0][0].numpy()
    ours = Ge2e(checkpoint=str(path)).resolve(16_000, [1.0])(clip)
    assert ours.shape == (1, 5, -(-n_samples // 160))
    np.testing.assert_allclose(ours[0].T, expected[: ours.shape[2]], atol=1e-5)


def test_other_files_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such GE2E checkpoint; give a safetensors file with weights lstm"):
        Ge2e(checkpoint=str(tmp_path / "no")).resolve(16_000, [1.0])
    save_file({"linear.weight": torch.zeros(2, 2)}, tmp_path / "a.safetensors")
    with pytest.raises(SettingsError, match=r"not a GE2E encoder \(it has no weights lstm.weight_hh_l0\)"):
        Ge2e(checkpoint=str(tmp_path / "a.safetensors")).resolve(16_000, [1.0])
    save_file(torch.nn.LSTM(7, 4).state_dict(), tmp_path / "b.safetensors")
    weights = {f"lstm.{name}": value for name, value in load_file(tmp_path / "b.safetensors").items()}
    save_file(weights, tmp_path / "b.safetensors")
    with pytest.raises(SettingsError, match=r"not a GE2E encoder \(.*size mismatch.*\); expected an LSTM over 40 mel"):
        Ge2e(checkpoint=str(tmp_path / "b.safetensors")).resolve(16_000, [1.0])
