"""`ctc_rnn`: a bidirectional LSTM over frames, trained by CTC with the clip's emotion as the only label.

A re-implementation of Han, Ruan, Chen, Wang, Li, Schuller 2018, "Towards temporal modelling of categorical speech
emotion recognition": an utterance is a chain of emotional frames and of Null frames (silence, pauses, unvoiced
sounds); CTC finds which are which. Open, with the reading taken here: the label sequence is the emotion once; the
frames (cepstra with their slopes, 32 values each 10 ms); two layers of 128 units in each direction; dropout.
"""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn

from audionas.kernels.mixed_precision import full_precision
from audionas.models.baselines.abilities import TaskLoss
from audionas.models.baselines.baseline import Baseline, Shape
from audionas.models.baselines.ctc import class_log_likelihoods, ctc_loss
from audionas.models.baselines.own_frames_rnn import OwnFramesRnn, frames_of
from audionas.models.baselines.own_positions import own_maps
from audionas.records import Record


class CtcRnnSettings(Record):
    """`hidden` units of each layer in each direction; dropout after each layer."""

    hidden: int = Field(default=128, ge=1, le=4096)
    n_layers: int = Field(default=2, ge=1, le=16)
    dropout: float = Field(default=0.3, ge=0, lt=1)


class CtcRnn(nn.Module):
    """x (batch, channels, features, frames) float32, lengths (batch,) int64 -> logits (batch, classes).

    The logits are ln P([class] | clip) under CTC, so that their softmax is the posterior with equal priors.

    Raises:
        SettingsError: other features than those that it was built for, or lengths that do not fit.
    """

    trims_padding = True

    def __init__(self, settings: CtcRnnSettings, input_shape: Shape, n_classes: int) -> None:
        super().__init__()
        self.n_channels, self.n_features, _ = input_shape
        self.rnn = OwnFramesRnn(
            "lstm",
            self.n_channels * self.n_features,
            settings.hidden,
            n_layers=settings.n_layers,
            dropout=settings.dropout,
        )
        self.head = nn.Sequential(nn.Dropout(settings.dropout), nn.Linear(self.rnn.n_outputs, 1 + n_classes))

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Logits; what lies beyond a clip's length changes nothing."""
        x, lengths = own_maps(x, lengths, self.n_channels, self.n_features)
        return class_log_likelihoods(self.frame_log_probabilities(x, lengths), lengths)

    def frame_log_probabilities(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Of each frame, Null first: (batch, frames, 1 + classes)."""
        return torch.log_softmax(full_precision(self.head(self.rnn(frames_of(x), lengths))), dim=-1)

    def loss(self, task_loss: TaskLoss, logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
        """The CTC loss in place of the task's."""
        return ctc_loss(logits, targets, weights)


CTC_RNN = Baseline(
    summary="a bidirectional LSTM over cepstra, trained by CTC with the class as the only label",
    paper="Han, Ruan, Chen, Wang, Li, Schuller 2018",
    settings=CtcRnnSettings,
    build=CtcRnn,
    features="cepstra_10ms",
)
