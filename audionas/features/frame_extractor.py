"""Frames of a trained encoder: what `pretrained`, `wav2vec` and `ge2e` share.

Only a clip's own frames are stored, in float16; the loader pads them. What is known of the encoder (`Facts`)
stands in the resolved settings, so that shapes are known without loading it, and a cache or a genotype made
with other weights of the same name is noticed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, ClassVar, Self

import numpy as np
import torch
from pydantic import Field

from audionas.errors import AudioError, SettingsError
from audionas.features.extractor import Count, Extractor, StoredDtype
from audionas.features.pooling import average_all

_FLOAT16_MAX = 65_504.0


@dataclass(frozen=True)
class Facts:
    """What an encoder's files say: n samples give floor((n - field_samples) / hop_samples) + 1 frames."""

    fingerprint: str  # sha256, hex, of the encoder's files
    sample_rate_hz: int
    width: int
    hop_samples: int
    field_samples: int


class FrameExtractor(Extractor):
    """Frames of a trained encoder, (channels, width, frames), of clips of any length.

    `length_s: auto` is the longest training duration; of longer clips the loader takes a part. The mean of
    `pool` frames is stored, the last one that of the frames that are left. `fingerprint` to `field_samples`
    are filled in by `resolve` from the encoder's files; where one is given, the files must agree.
    """

    stored_dtype: ClassVar[StoredDtype] = "float16"

    mask_padding: bool = True
    fingerprint: str | None = None
    width: Count | None = None
    hop_samples: Count | None = None
    field_samples: Annotated[int, Field(ge=0)] | None = None

    @property
    def source(self) -> str:
        """The encoder's file, folder or hub name, as given."""
        raise NotImplementedError

    def _left_out_of_key(self) -> frozenset[str]:
        """Nothing stored depends on where the encoder's files lie, nor, uncut, on the input's length.

        So splits whose longest training clips differ share one cache.
        """
        place = {"model", "checkpoint"} if self.fingerprint else set()
        length = {"length_s"} if self.crop == "random" else set()
        return super()._left_out_of_key() | place | length

    def resolve(self, sample_rate_hz: int, durations_s: Sequence[float]) -> Self:
        """The same extractor with no "auto" left; the rate is the encoder's own, whatever the corpus's.

        Raises:
            SettingsError: the encoder cannot be read or is not what the settings say, there are no
                durations, or a clip of this length gives no frame.
        """
        if self.is_resolved:
            return self
        facts = self._facts()
        self._check_against(facts)
        known = self.model_copy(update=asdict(facts))
        resolved = type(self).model_validate(known.model_dump() | known._length(durations_s))
        if resolved._n_inside(resolved.length_samples) < 1:
            raise SettingsError(f"{self.kind}: length_s: got {resolved.length_s}, shorter than one frame")
        resolved._check_shifts()
        return resolved

    @property
    def is_resolved(self) -> bool:
        """Whether rate and length are numbers and the encoder is known."""
        return super().is_resolved and self.fingerprint is not None and self.width is not None

    @property
    def n_features(self) -> int:
        """Width of the encoder."""
        if self.width is None:
            raise self._unresolved()
        return self.width

    def n_frames(self, n_samples: int) -> int:
        """Frames stored of a clip of so many samples; at least 1."""
        n_kept = min(n_samples, self.length_samples) if self.crop == "end" else n_samples
        return max(1, self._n_pooled(self._n_inside(n_kept)))

    def own_frames(self, n_samples: int) -> int:
        """All frames that are stored."""
        return self.n_frames(n_samples)

    def __call__(self, waveform: np.ndarray) -> np.ndarray:
        """Frames of one clip.

        Args:
            waveform: (samples,), float32, at `rate_hz`.

        Returns:
            (channels, features, frames), float32: the clip's own frames, more or fewer than `input_shape` has.

        Raises:
            AudioError: the clip is shorter than one frame.
            SettingsError: the encoder is not the one that the settings describe, or its values are beyond
                what float16 holds.
        """
        clip = np.ascontiguousarray(waveform[: self.length_samples] if self.crop == "end" else waveform, np.float32)
        n_inside = self._n_inside(len(clip))
        if n_inside < 1:
            raise AudioError(
                f"{self.kind}: got {len(clip)} samples at {self.rate_hz} Hz, one frame needs {self.field_samples}; "
                "leave this clip out"
            )
        with torch.inference_mode():
            frames = self._encode(clip)
            self._check_frames(frames, (self.n_channels, self.n_features, n_inside))
            return self._pooled(frames).contiguous().numpy()

    def _facts(self) -> Facts:
        """What the encoder's files say."""
        raise NotImplementedError

    def _encode(self, clip: np.ndarray) -> torch.Tensor:
        """(samples,), float32, to (channels, features, frames), float32, of the encoder of these settings."""
        raise NotImplementedError

    def _pooled(self, frames: torch.Tensor) -> torch.Tensor:
        return average_all(frames, self.pool)

    def _n_pooled(self, n_frames: int) -> int:
        return -(-n_frames // self.pool)

    def _n_inside(self, n_samples: int) -> int:
        """Frames, before pooling, of so many samples."""
        if self.hop_samples is None or self.field_samples is None:
            raise self._unresolved()
        return max(0, (n_samples - self.field_samples) // self.hop_samples + 1)

    def _length(self, durations_s: Sequence[float]) -> dict[str, float]:
        """The settings that say how long the network's input is."""
        if self.length_s != "auto":
            return {"length_s": self.length_s}
        if not len(durations_s):
            raise SettingsError(f"{self.kind}: length_s is auto, and there are no clips to take it from")
        n_samples = math.ceil(max(durations_s) * self.rate_hz - 1e-6)
        return {"length_s": n_samples / self.rate_hz}

    def _check_against(self, facts: Facts) -> None:
        """The settings that are given must be those of the encoder's files."""
        for name, found in asdict(facts).items():
            given = getattr(self, name)
            if given not in (None, "auto", found):
                raise SettingsError(
                    f"{self.kind}: {name}: got {given}, {self.source} has {found}; give the encoder that these "
                    "features were made with, or extract them anew"
                )

    def _check_frames(self, frames: torch.Tensor, expected: tuple[int, int, int]) -> None:
        if tuple(frames.shape) != expected:
            raise SettingsError(
                f"{self.kind}: {self.source} gives (channels, features, frames) {tuple(frames.shape)}, expected "
                f"{expected}; this encoder cannot be used"
            )
        largest = float(frames.abs().max())
        if not largest <= _FLOAT16_MAX:  # also NaN
            raise SettingsError(
                f"{self.kind}: {self.source} gives values up to {largest:g}, features hold at most "
                f"{_FLOAT16_MAX:g} (float16); choose another layer or encoder"
            )
