"""`fop`: the encoder of Future Observation Prediction with a classifier, all of it trained.

Source: Lian, Tao, Liu, Huang 2019, section 2.2.1: the output layer of the pre-trained network gives way to global
average pooling and a projection (with the paper's four classes 1,028 parameters), and the whole network is tuned.
Without weights of `audionas pretrain` it is the paper's "None", trained from scratch.

The paper stops early and names no number of epochs: `--select best` does so by an inner validation part. That its loss
weighs classes by nothing is a reading, since it reports weighted accuracy.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from torch import Tensor, nn

from audionas.errors import SettingsError
from audionas.features.fop_network import FopEncoder, FopSizes, own_frames
from audionas.models.baselines.baseline import Baseline
from audionas.models.frame_pooling import FramePooling


class FopSettings(FopSizes):
    """Sizes of the encoder, and the sha256 of the pre-trained weights that it begins with; empty: random weights."""

    pretrained: Annotated[str, Field(pattern="^([0-9a-f]{64})?$")] = ""


class FopClassifier(nn.Module):
    """(batch, 1, bands, frames) float32 and lengths (batch,) int64 to logits (batch, classes)."""

    trims_padding = True

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
    if input_shape[0] != 1:
        raise SettingsError(f"fop: features of {input_shape[0]} channels, must be 1; leave out deltas")
    return FopClassifier(settings.encoder(input_shape[1]), n_classes)


FOP = Baseline(
    summary="causal self-attention over 80 mel bands, mean over time; trained from scratch, or from audionas pretrain",
    paper="Lian, Tao, Liu, Huang 2019",
    settings=FopSettings,
    build=build,
    features="fop",
    recipe={
        "optimiser": "adam",
        "learning_rate": 1.0e-3,
        "schedule": "constant",
        "momentum": 0.0,
        "weight_decay": 0.0,
    },
    batch_size=32,
    class_weighting="none",
)
