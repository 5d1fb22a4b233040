"""`rnn_elm`: a bidirectional LSTM tells each frame's emotion; an extreme learning machine judges their statistics.

A re-implementation of Lee & Tashev 2015, "High-level feature representation using recurrent neural network for speech
emotion recognition". The label of each frame is latent, the utterance's emotion or none, and the LSTM is trained by
the likelihood of the label sequences that fit; here that is CTC, whose sequences have one run of the emotion. After
training, each clip's frame posteriors become statistics, as Han, Yu, Tashev 2014 have them: of each emotion the
maximum, minimum and mean, and the share of frames above 0.2; and the extreme learning machine is solved on the
training clips. Open, with the reading taken here: the paper's 32 values a frame (12 cepstra, energy, F0, voicing, zero
crossings, and slopes) are 16 cepstra and slopes, since F0 is none of our features; two layers of 128 units in each
direction; 120 random sigmoid units; ridge; no frames are left out.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from pydantic import Field
from torch import Tensor, nn

from audionas.models.baselines.abilities import TaskLoss, TrainingBatch
from audionas.models.baselines.baseline import Baseline, Shape
from audionas.models.baselines.ctc import BLANK, class_log_likelihoods
from audionas.models.baselines.ctc_rnn import CtcRnn, CtcRnnSettings
from audionas.models.baselines.extreme_learning_machine import ExtremeLearningMachine
from audionas.models.baselines.own_positions import own_maps
from audionas.models.recipe_cell import frame_mask
from audionas.records import Record

N_STATISTICS = 4


class RnnElmSettings(Record):
    """`hidden` units of each LSTM layer in each direction, `elm_hidden` random units, `ridge` of their solution.

    `threshold`: posteriors above it count in the share of frames.
    """

    hidden: int = Field(default=128, ge=1, le=4096)
    n_layers: int = Field(default=2, ge=1, le=16)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    elm_hidden: int = Field(default=120, ge=1, le=100_000)
    ridge: float = Field(default=0.01, gt=0)
    threshold: float = Field(default=0.2, gt=0, lt=1)


class RnnElm(nn.Module):
    """x (batch, channels, features, frames) float32, lengths (batch,) int64 -> logits (batch, classes).

    In training, and until `solve`, logits are those of `ctc_rnn`; then in eval mode the extreme learning machine's.

    Raises:
        SettingsError: other features than those that it was built for, or lengths that do not fit.
    """

    trims_padding = True

    def __init__(self, settings: RnnElmSettings, input_shape: Shape, n_classes: int) -> None:
        super().__init__()
        self.threshold = settings.threshold
        frames = CtcRnnSettings(hidden=settings.hidden, n_layers=settings.n_layers, dropout=settings.dropout)
        self.frames = CtcRnn(frames, input_shape, n_classes)
        self.elm = ExtremeLearningMachine(N_STATISTICS * n_classes, settings.elm_hidden, n_classes, settings.ridge)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Logits; what lies beyond a clip's length changes nothing."""
        log_probabilities, lengths = self._frames(x, lengths)
        likelihoods = class_log_likelihoods(log_probabilities, lengths)
        if self.training:
            return likelihoods
        # Both are computed and one is taken: no branch may depend on a tensor's value where only shapes are counted.
        scores = self.elm(frame_statistics(log_probabilities, lengths, self.threshold))
        return torch.where(self.elm.is_solved, scores.to(likelihoods.dtype), likelihoods)

    def loss(self, task_loss: TaskLoss, logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
        """The CTC loss in place of the task's."""
        return self.frames.loss(task_loss, logits, targets, weights)

    @torch.no_grad()
    def solve(self, batches: Iterable[TrainingBatch]) -> None:
        """Solve the extreme learning machine on (x, targets, weights, lengths) of the training clips; in eval mode."""
        device = self.elm.solution.device
        statistics, targets, weights = [], [], []
        for x, target, weight, lengths in batches:
            own = None if lengths is None else lengths.to(device)
            statistics.append(frame_statistics(*self._frames(x.to(device), own), self.threshold))
            targets.append(target.to(device))
            weights.append(weight.to(device))
        self.elm.solve(torch.cat(statistics), torch.cat(targets), torch.cat(weights))

    def _frames(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        x, lengths = own_maps(x, lengths, self.frames.n_channels, self.frames.n_features)
        return self.frames.frame_log_probabilities(x, lengths), lengths


def frame_statistics(log_probabilities: Tensor, lengths: Tensor | None, threshold: float) -> Tensor:
    """Maximum, minimum, mean and share above the threshold of each class's posteriors: (batch, 4 * classes), in [0, 1].

    Args:
        log_probabilities: (batch, frames, 1 + classes), the blank first; it counts in no statistic.
    """
    posteriors = log_probabilities[..., BLANK + 1 :].float().exp()
    if lengths is None:
        lengths = torch.full((posteriors.shape[0],), posteriors.shape[1], device=posteriors.device)
    own = frame_mask(lengths, posteriors.shape[1])[:, :, None]
    n_own = lengths[:, None]
    return torch.cat(
        [
            torch.where(own, posteriors, 0.0).amax(dim=1),
            torch.where(own, posteriors, 1.0).amin(dim=1),
            torch.where(own, posteriors, 0.0).sum(dim=1) / n_own,
            (own & (posteriors > threshold)).sum(dim=1) / n_own,
        ],
        dim=-1,
    )


RNN_ELM = Baseline(
    summary="a bidirectional LSTM's frame posteriors, their statistics judged by an extreme learning machine",
    paper="Lee, Tashev 2015",
    settings=RnnElmSettings,
    build=RnnElm,
    features="cepstra_10ms",
)
