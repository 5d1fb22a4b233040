"""`fop`: frames of an encoder that was pre-trained here by Future Observation Prediction, one every 10 ms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, ClassVar, Self

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from audionas.audio.folds import split_folder
from audionas.errors import SettingsError, unknown
from audionas.features.encoder_files import Stamp, stamp
from audionas.features.fop_weights import WEIGHTS_FILE, FopWeights, load_fop_weights
from audionas.features.frame_extractor import Facts, FrameExtractor
from audionas.features.log_mel import LogMel

LAST = "last"
# What frames (F), embedded frames (p) and the outputs of the layers (h) become, each (batch, frames, width).
_JOINED: dict[str, Callable[[Tensor, Tensor, list[Tensor]], Tensor]] = {
    "F": lambda raw, embedded, layers: raw,
    "h_add": lambda raw, embedded, layers: torch.stack([embedded, *layers]).sum(dim=0),
    "h_add_without_F": lambda raw, embedded, layers: torch.stack(layers).sum(dim=0),
    "h_concat": lambda raw, embedded, layers: torch.cat([raw, *layers], dim=2),
    "h_concat_embedded": lambda raw, embedded, layers: torch.cat([embedded, *layers], dim=2),
}


class Fop(FrameExtractor):
    """Outputs of an encoder that `audionas pretrain` left; of its layer `level`, or several levels as one.

    `checkpoint` is its `weights.safetensors`, the folder of that, or a pre-training of several splits, of which a
    search or a retraining takes, for each split, the weights that never met its test speakers. Levels: `h1`, `h2`, ...,
    `last`, `F` (the normalised mel bands), `h_add`, `h_concat`. Source: Lian et al. 2019, section 2.2.2; F has 80 bands
    and h 256, which cannot be added as equation 7 has it: `h_add` adds the embedded frames without their positions,
    `h_add_without_F` the layers alone; `h_concat` takes F as it is (592 with the paper's sizes), `h_concat_embedded`
    the embedded frames. Frames are causal: each knows of none after it. `trained_on` is filled in by `resolve`.
    """

    kind: ClassVar[str] = "fop"

    checkpoint: str
    level: Annotated[str, Field(pattern="^(last|F|h[1-9][0-9]?|h_(add|concat)(_without_F|_embedded)?)$")] = LAST
    trained_on: str | None = None

    @property
    def source(self) -> str:
        """The checkpoint's path."""
        return self.checkpoint

    def of_split(self, name: str) -> Self:
        """The extractor with the weights that left a split out, where there are such."""
        place = Path(self.checkpoint).expanduser()
        if self.is_resolved or not place.is_dir() or (place / WEIGHTS_FILE).is_file():
            return self
        inner = place / split_folder(name)
        if not (inner / WEIGHTS_FILE).is_file():
            raise SettingsError(
                f"{self.checkpoint}: no {inner.name}/{WEIGHTS_FILE}; pre-train with this corpus's folds"
            )
        return self.model_copy(update={"checkpoint": str(inner / WEIGHTS_FILE)})

    def front_end_parameters(self) -> int:
        """Weights of the encoder, without its output layer."""
        return sum(weight.numel() for weight in _load(self.checkpoint).encoder.parameters())

    def _left_out_of_key(self) -> frozenset[str]:
        return super()._left_out_of_key() | {"trained_on"}

    def resolve(self, sample_rate_hz: int, durations_s: Sequence[float]) -> Self:
        """As of every trained encoder; what it was trained on is noted."""
        if self.is_resolved:
            return self
        trained_on = _load(self.checkpoint).facts.trained_on
        asked = self.model_copy(update={"trained_on": trained_on})
        return super(Fop, asked).resolve(sample_rate_hz, durations_s)

    def _facts(self) -> Facts:
        found = _load(self.checkpoint)
        mel = _mel(found)
        width = self._joined(found, torch.zeros(1, 1, len(found.mean))).shape[2]
        return Facts(found.sha256, mel.rate_hz, width, mel.hop_samples, 1)

    def _encode(self, clip: np.ndarray) -> Tensor:
        self._check_against(self._facts())
        found = _load(self.checkpoint)
        bands = torch.from_numpy(_mel(found)(clip))[0, :, : self._n_inside(len(clip))].T
        return self._joined(found, ((bands - found.mean) / found.std)[None]).transpose(1, 2)

    def _joined(self, found: FopWeights, raw: Tensor) -> Tensor:
        """(1, frames, bands), normalised, to (1, frames, width) of the level that is asked for."""
        embedded, *layers = found.encoder.levels(raw)
        if self.level in _JOINED:
            return _JOINED[self.level](raw, embedded, layers)
        known = {LAST: layers[-1]} | {f"h{k}": layer for k, layer in enumerate(layers, start=1)}
        if self.level not in known:
            raise SettingsError(f"{self.checkpoint}: {unknown('level', self.level, [*known, *_JOINED])}")
        return known[self.level]


def _mel(found: FopWeights) -> LogMel:
    settings = {key: value for key, value in found.facts.features.items() if key != "extractor"}
    return LogMel.model_validate(settings)


def weights_file(checkpoint: str) -> Path:
    """The file of weights that a path names: itself, or the one in a folder.

    Raises:
        SettingsError: the folder holds those of several splits, or none.
    """
    place = Path(checkpoint).expanduser()
    if not place.is_dir():
        return place
    if (place / WEIGHTS_FILE).is_file():
        return place / WEIGHTS_FILE
    splits = sorted(path.parent.name for path in place.glob(f"split_*/{WEIGHTS_FILE}"))
    if splits:
        raise SettingsError(
            f"{checkpoint}: holds weights of several splits, give the folder of one: {', '.join(splits[:8])}"
        )
    raise SettingsError(f"{checkpoint}: no {WEIGHTS_FILE} in it; give what audionas pretrain left")


def _load(checkpoint: str) -> FopWeights:
    path = weights_file(checkpoint)
    if not path.is_file():
        raise SettingsError(f"{checkpoint}: no such weights; give the {WEIGHTS_FILE} that audionas pretrain left")
    return _loaded(path, stamp([path]))


@lru_cache(maxsize=2)
def _loaded(path: Path, files: Stamp) -> FopWeights:  # noqa: ARG001
    return load_fop_weights(path)
