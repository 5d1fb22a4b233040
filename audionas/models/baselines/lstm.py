"""`lstm`: torch's LSTM with the attention pooling and the head of the frame stream, the plain recurrent system."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from audionas.models.baselines.baseline import ADAM, Baseline
from audionas.models.torch_rnn import TorchFrameNetwork
from audionas.records import Record


class RnnSettings(Record):
    """Of `lstm` and `bigru`; defaults as a recurrent space has them. `dropout` is between layers."""

    hidden: int = Field(default=128, ge=1, le=4096)
    n_layers: int = Field(default=1, ge=1, le=16)
    pooling: Literal["attention", "attention_query", "mean", "max", "last", "statistics"] = "attention"
    dropout: float = Field(default=0.0, ge=0, lt=1)
    channels: Literal["stack", "weighted_sum"] = "stack"


def build(settings: RnnSettings, input_shape: tuple[int, int, int], n_classes: int) -> TorchFrameNetwork:
    """One direction of LSTM layers: (batch, channels, features, frames) float32, lengths -> logits (batch, classes).

    Source: Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000, as torch has it.
    """
    channels, n_features, _ = input_shape
    return TorchFrameNetwork(
        "lstm", n_features, n_classes, bidirectional=False, n_channels=channels, **settings.model_dump()
    )


LSTM = Baseline(
    summary="one layer of LSTM, additive attention over frames, one linear layer",
    paper="",
    settings=RnnSettings,
    build=build,
    features="log_mel_frames",
    recipe=ADAM,
)
