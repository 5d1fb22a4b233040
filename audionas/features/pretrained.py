"""`pretrained`: hidden states of a speech encoder of transformers, by hub name or local folder."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from pydantic import field_validator

from audionas.errors import SettingsError
from audionas.features.extractor import Count
from audionas.features.frame_extractor import FrameExtractor
from audionas.features.pretrained_model import ModelFacts, loaded_model, model_facts

LAYERS = ("last", "mean", "all")


class Pretrained(FrameExtractor):
    """Frames of a pretrained transformer: wav2vec 2.0, HuBERT, WavLM, data2vec audio, Whisper's encoder, ...

    `layer` is the number of a hidden state (0 enters the first layer), `last`, the `mean` of all, or `all`
    as channels, of which a network can learn a weighted sum. Whisper is padded with zeros to 30 s and its
    first frames are kept, ceil(samples / 320); `whisper_padding: false` encodes the clip alone, with the
    first entries of its table of positions, much faster. What is longer than 30 s is encoded in such pieces.
    The others give the frames of their convolutions and take the waveform as their own files say.
    """

    kind: ClassVar[str] = "pretrained"

    model: str
    layer: int | str = "last"
    whisper_padding: bool = True
    n_states: Count | None = None
    chunk_samples: Count | None = None

    @field_validator("layer")
    @classmethod
    def _check_layer(cls, layer: int | str) -> int | str:
        if (isinstance(layer, int) and layer < 0) or (isinstance(layer, str) and layer not in LAYERS):
            raise ValueError("must be the number of a hidden state, from 0 on, 'last', 'mean' or 'all'")
        return layer

    @property
    def source(self) -> str:
        """Hub name or folder."""
        return self.model

    @property
    def n_channels(self) -> int:
        """One for each hidden state where all are stored."""
        if self.n_states is None:
            raise self._unresolved()
        return self.n_states if self.layer == "all" else 1

    def _n_inside(self, n_samples: int) -> int:
        if self.chunk_samples is None:
            return super()._n_inside(n_samples)
        n_chunks, rest = divmod(n_samples, self.chunk_samples)
        return n_chunks * super()._n_inside(self.chunk_samples) + super()._n_inside(rest)

    def front_end_parameters(self) -> int:
        """Weights of the encoder."""
        return sum(weight.numel() for weight in loaded_model(self.model).encoder.parameters())

    def _facts(self) -> ModelFacts:
        facts = model_facts(self.model)
        if isinstance(self.layer, int) and self.layer >= facts.n_states:
            raise SettingsError(
                f"{self.kind}: layer: got {self.layer}, {self.model} has hidden states 0 to {facts.n_states - 1}"
            )
        return facts

    def _encode(self, clip: np.ndarray) -> torch.Tensor:
        model = loaded_model(self.model)
        self._check_against(model.facts)
        states = model.states(clip, is_padded=self.whisper_padding)
        if self.layer == "all":
            return torch.stack(states).transpose(1, 2)
        if self.layer == "mean":
            return torch.stack(states).mean(0).T.unsqueeze(0)
        return states[-1 if self.layer == "last" else int(self.layer)].T.unsqueeze(0)
