"""`fop`: the encoder of Future Observation Prediction with a classifier, all of it trained.

Source: Lian, Tao, Liu, Huang 2019, section 2.2.1: the output layer of the pre-trained network gives way to global
average pooling and a projection (with the paper's four classes 1,028 parameters), and the whole network is tuned.
Without weights of `audionas pretrain` it is the paper's "None", trained from scratch.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator
from torch import Tensor, nn

from audionas.errors import SettingsError
from audionas.features.fop_network import FopEncoder, own_frames
from audionas.models.frame_pooling import FramePooling
from audionas.records import Record

_Size = Annotated[int, Field(ge=1, le=100_000)]


class FopSettings(Record):
    """Sizes of the encoder, defaults as the paper has them; `pretrained` is the sha256 of the weights it begins with.

    An empty `pretrained` means none: random weights.
    """

    width: _Size = 256
    n_heads: _Size = 4
    inner: _Size = 513
    n_layers: Annotated[int, Field(ge=1, le=64)] = 2
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    pretrained: Annotated[str, Field(pattern="^([0-9a-f]{64})?$")] = ""

    @model_validator(mode="after")
    def _check_heads(self) -> Self:
        if self.width % self.n_heads:
            raise ValueError(f"width {self.width} must be a multiple of n_heads {self.n_heads}")
        return self


class FopClassifier(nn.Module):
    """(batch, 1, bands, frames) float32 and lengths (batch,) int64 to logits (batch, classes)."""

    def __init__(self, encoder: FopEncoder, n_classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.pooling = FramePooling(encoder.embedding.out_features, "mean")
        self.projection = nn.Linear(encoder.embedding.out_features, n_classes)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Logits; of each clip its own frames count, in the attention and in the mean."""
        logits: Tensor = self.projection(self.pooling(self.encoder(own_frames(x, lengths)), lengths))
        return logits


def build(settings: FopSettings, input_shape: tuple[int, int, int], n_classes: int) -> FopClassifier:
    """The network of these settings with random weights.

    Raises:
        SettingsError: the features have several channels.
    """
    return FopClassifier(build_encoder(settings, input_shape), n_classes)


def build_encoder(settings: FopSettings, input_shape: tuple[int, int, int]) -> FopEncoder:
    """The encoder of these settings with random weights; see `build`."""
    if input_shape[0] != 1:
        raise SettingsError(f"fop: features of {input_shape[0]} channels, must be 1; leave out deltas")
    return FopEncoder(
        input_shape[1], settings.width, settings.n_heads, settings.inner, settings.n_layers, settings.dropout
    )
