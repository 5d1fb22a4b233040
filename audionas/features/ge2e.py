"""`ge2e`: frames of the GE2E speaker encoder, the hidden states of a small LSTM."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from audionas.errors import SettingsError
from audionas.features.encoder_files import LOAD_ERRORS, Stamp, fingerprint, read_safetensors, stamp
from audionas.features.frame_extractor import Facts, FrameExtractor
from audionas.features.log_mel import mel_filters
from audionas.features.stft import magnitudes

SAMPLE_RATE_HZ = 16_000
N_FFT, HOP_SAMPLES, N_MELS = 400, 160, 40
QUIETEST_RMS = 10 ** (-30 / 20)  # -30 dB of full scale


class Ge2e(FrameExtractor):
    """Hidden states of the last layer of a GE2E speaker encoder, every 10 ms.

    `checkpoint` is a safetensors file with the weights of a `torch.nn.LSTM` as `lstm.*`, of Resemblyzer's
    `pretrained.pt`; its linear layer is not used. The clip is raised to -30 dB where it is quieter, and its
    power in 40 mel bands enters the LSTM without a logarithm. Source: Wan et al. 2018, "Generalized
    End-to-End Loss for Speaker Verification"; frames as Resemblyzer 0.1.4 takes them (centred, mirrored at
    the ends), but without the one that is centred on a clip's very end.
    """

    kind: ClassVar[str] = "ge2e"

    checkpoint: str

    @property
    def source(self) -> str:
        """The checkpoint's path."""
        return self.checkpoint

    def front_end_parameters(self) -> int:
        """Weights of the LSTM."""
        return sum(weight.numel() for weight in _load(self.checkpoint)[1].parameters())

    def _facts(self) -> Facts:
        digest, lstm = _load(self.checkpoint)
        return Facts(digest, SAMPLE_RATE_HZ, lstm.hidden_size, HOP_SAMPLES, 1)

    def _encode(self, clip: np.ndarray) -> torch.Tensor:
        self._check_against(self._facts())
        _, lstm = _load(self.checkpoint)
        states, _ = lstm(_mel_power(_raised(clip)).T.unsqueeze(0))
        return states.transpose(1, 2)[..., : self._n_inside(len(clip))]  # type: ignore[no-any-return]


def _raised(clip: np.ndarray) -> np.ndarray:
    """The clip, if it is quieter, at -30 dB of full scale; silence as it is."""
    rms = float(np.sqrt(np.mean(clip.astype(np.float64) ** 2)))
    return clip if rms == 0 else (clip * max(1.0, QUIETEST_RMS / rms)).astype(np.float32)


def _mel_power(clip: np.ndarray) -> torch.Tensor:
    """(mel bands, frames), float32."""
    mirrored = np.pad(clip, N_FFT // 2, mode="reflect")
    spectrum = magnitudes(mirrored, n_fft=N_FFT, window_samples=N_FFT, hop=HOP_SAMPLES, window="hann", is_centred=False)
    return mel_filters(SAMPLE_RATE_HZ, N_FFT, N_MELS, 0.0, None) @ spectrum.square()


def _load(checkpoint: str) -> tuple[str, torch.nn.LSTM]:
    path = Path(checkpoint).expanduser()
    if not path.is_file():
        raise SettingsError(f"{checkpoint}: no such GE2E checkpoint; give a safetensors file with weights lstm.*")
    return _loaded(path, stamp([path]))


@lru_cache(maxsize=2)
def _loaded(path: Path, files: Stamp) -> tuple[str, torch.nn.LSTM]:
    weights = {
        name.removeprefix("lstm."): value for name, value in read_safetensors(path).items() if name.startswith("lstm.")
    }
    n_layers = sum(name.startswith("weight_ih_l") for name in weights)
    first = weights.get("weight_hh_l0")
    try:
        if first is None:
            raise RuntimeError("it has no weights lstm.weight_hh_l0")
        lstm = torch.nn.LSTM(N_MELS, first.shape[1], n_layers, batch_first=True)
        lstm.load_state_dict(weights)
    except LOAD_ERRORS as why:
        reason = " ".join(str(why).split())[:150]
        raise SettingsError(f"{path}: not a GE2E encoder ({reason}); expected an LSTM over {N_MELS} mel bands") from why
    return fingerprint(files), lstm.float().eval().requires_grad_(False)
