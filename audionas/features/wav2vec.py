"""`wav2vec`: frames of the original wav2vec (Schneider et al. 2019), EmotionNAS's second front end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
import torch

from audionas.errors import SettingsError
from audionas.features.extractor import Auto, Count
from audionas.features.frame_extractor import Facts, FrameExtractor
from audionas.features.pooling import average_all, average_whole
from audionas.features.wav2vec_checkpoint import load_wav2vec
from audionas.features.wav2vec_network import Wav2vecShape

SAMPLE_RATE_HZ = 16_000


def frames(n_samples: int) -> int:
    """Frames that wav2vec-large gives for so many samples at 16 kHz; none below 465.

    >>> frames(464), frames(465), frames(466_065)
    (0, 1, 2911)
    """
    shape = Wav2vecShape()
    return max(0, (n_samples - shape.field_samples) // shape.hop_samples + 1)


class Wav2vec(FrameExtractor):
    """Frames of wav2vec 1.0, 512 wide every 10 ms: the encoder's (`z`) or the context (`c`).

    `checkpoint` is the published `wav2vec_large.pt`, or its weights as safetensors. With `pad_to` frames are
    padded with zeros to so many before they are pooled, a rest of less than a pool is dropped, and a mean
    over a clip's end counts zeros too, as in Sun et al. 2022, sec. 3.2; `auto` is the longest training clip's
    number. Means that hold nothing but padding are zeros and not stored. Without, the last mean is that of
    the frames that are left.
    """

    kind: ClassVar[str] = "wav2vec"

    checkpoint: str
    output: Literal["z", "c"] = "c"
    pad_to: Count | Auto | None = None

    @property
    def source(self) -> str:
        """The checkpoint's path."""
        return self.checkpoint

    def front_end_parameters(self) -> int:
        """Weights of encoder and aggregator."""
        return sum(weight.numel() for weight in load_wav2vec(self.checkpoint).network.parameters())

    def _facts(self) -> Facts:
        model = load_wav2vec(self.checkpoint)
        layers = model.shape.encoder if self.output == "z" else model.shape.aggregator
        hop, field = model.shape.hop_samples, model.shape.field_samples
        return Facts(model.fingerprint, SAMPLE_RATE_HZ, layers[-1][0], hop, field)

    def _encode(self, clip: np.ndarray) -> torch.Tensor:
        self._check_against(self._facts())
        z, c = load_wav2vec(self.checkpoint).network.frames(torch.from_numpy(clip).unsqueeze(0))
        return z if self.output == "z" else c

    def _pooled(self, frames: torch.Tensor) -> torch.Tensor:
        n_frames = frames.shape[-1]
        if self.pad_to is None:
            return average_all(frames, self.pool)
        padded = torch.nn.functional.pad(frames, (0, self._n_padded(n_frames) - n_frames))
        return average_whole(padded, self.pool)[..., : self._n_pooled(n_frames)]

    def _n_pooled(self, n_frames: int) -> int:
        touched = super()._n_pooled(n_frames)
        return touched if self.pad_to is None else min(touched, self._n_padded(n_frames) // self.pool)

    def _n_padded(self, n_frames: int) -> int:
        if not isinstance(self.pad_to, int):
            raise self._unresolved()
        return max(n_frames, self.pad_to)

    def _length(self, durations_s: Sequence[float]) -> dict[str, float]:
        """`pad_to` sets the length: exactly the samples of so many frames."""
        if self.pad_to is None:
            return super()._length(durations_s)
        if self.length_s != "auto":
            raise SettingsError(f"{self.kind}: give length_s or pad_to, not both: pad_to sets the length")
        n_frames = self.pad_to
        if n_frames == "auto":
            n_frames = self._n_inside(round(super()._length(durations_s)["length_s"] * self.rate_hz))
        if n_frames < self.pool:
            raise SettingsError(f"{self.kind}: pad_to: got {n_frames} frames, must be at least the pool of {self.pool}")
        assert self.hop_samples
        assert self.field_samples is not None
        n_samples = (n_frames - 1) * self.hop_samples + self.field_samples
        return {"pad_to": n_frames, "length_s": n_samples / self.rate_hz}
