"""`pcnse_sadrn_ctc`: parallel convolutions with squeeze and excitation, a dilated residual network, attention, CTC.

A re-implementation of Zhao, Li, Zhang, Cummins, Wang, Tao, Schuller 2021, "Combining a parallel 2D CNN with a
self-attention dilated residual network for CTC-based discrete speech emotion recognition": log-mel bands with deltas
and delta-deltas; parallel convolutions along time and along frequency with squeeze and excitation (PCNSE; Hu et al.
2018); residual blocks of dilated convolutions over time with self-attention (SADRN); CTC with the clip's emotion as
the only label. Open, with the reading taken here: all sizes (we had the paper's abstract only); branches of 9x1, 1x9
and 3x3, two layers each; squeeze to 1/16; one layer of self-attention with 4 heads after the residual blocks.
"""

from __future__ import annotations

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from audionas.kernels.mixed_precision import full_precision
from audionas.models.baselines.abilities import TaskLoss
from audionas.models.baselines.baseline import Baseline, Shape
from audionas.models.baselines.ctc import class_log_likelihoods, ctc_loss
from audionas.models.baselines.own_frames_rnn import frames_of
from audionas.models.baselines.own_positions import ConvBlock, OwnBatchNorm, n_steps, own_maps
from audionas.models.baselines.residual_attention import DilatedResidual, SelfAttention
from audionas.models.baselines.squeeze_excitation import SqueezeExcitation
from audionas.records import Record

BRANCHES = ((9, 1), (1, 9), (3, 3))  # features x frames


class PcnseSadrnCtcSettings(Record):
    """`channels` of the two layers of each branch, `width` of the frames after them, one residual block a dilation."""

    channels: tuple[int, int] = (16, 32)
    reduction: int = Field(default=16, ge=1, le=256)
    width: int = Field(default=128, ge=1, le=4096)
    dilations: tuple[int, ...] = (1, 2, 4, 8)
    n_heads: int = Field(default=4, ge=1, le=64)
    dropout: float = Field(default=0.3, ge=0, lt=1)

    @model_validator(mode="after")
    def _check_heads(self) -> PcnseSadrnCtcSettings:
        if self.width % self.n_heads:
            raise ValueError(f"width {self.width} must be a multiple of n_heads {self.n_heads}")
        return self


class PcnseSadrnCtc(nn.Module):
    """x (batch, channels, features, frames) float32, lengths (batch,) int64 -> logits (batch, classes).

    The logits are ln P([class] | clip) under CTC over frames of four times the hop.

    Raises:
        SettingsError: other features than those that it was built for, or lengths that do not fit.
    """

    trims_padding = True

    def __init__(self, settings: PcnseSadrnCtcSettings, input_shape: Shape, n_classes: int) -> None:
        super().__init__()
        self.n_channels, self.n_features, _ = input_shape
        first, second = settings.channels
        self.branches = nn.ModuleList(
            nn.ModuleList(
                [ConvBlock(self.n_channels, first, kernel, pool=(2, 2)), ConvBlock(first, second, kernel, pool=(2, 2))]
            )
            for kernel in BRANCHES
        )
        n_maps = len(BRANCHES) * second
        self.excitation = SqueezeExcitation(n_maps, settings.reduction)
        self.projection = nn.Conv2d(n_maps * n_steps(self.n_features, 2, 2), settings.width, 1, bias=False)
        self.norm = OwnBatchNorm(settings.width)
        self.blocks = nn.ModuleList(DilatedResidual(settings.width, dilation) for dilation in settings.dilations)
        self.attention = SelfAttention(settings.width, settings.n_heads, settings.dropout)
        self.head = nn.Sequential(nn.Dropout(settings.dropout), nn.Linear(settings.width, 1 + n_classes))

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Logits; what lies beyond a clip's length changes nothing in eval mode."""
        x, lengths = own_maps(x, lengths, self.n_channels, self.n_features)
        maps, lengths = self._parallel(x, lengths)
        maps = self.excitation(maps, lengths).flatten(1, 2)[:, :, None]
        frames = self.norm.of_own(self.projection(maps), lengths).relu()
        for block in self.blocks:
            frames = block(frames, lengths)
        outputs = self.head(self.attention(frames_of(frames), lengths))
        return class_log_likelihoods(torch.log_softmax(full_precision(outputs), dim=-1), lengths)

    def _parallel(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """The branches side by side as channels, and the frames that are left."""
        outputs = []
        for branch in self.branches:
            maps, left = x, lengths
            for block in branch:  # type: ignore[attr-defined]
                maps, left = block(maps, left)
            outputs.append(maps)
        return torch.cat(outputs, dim=1), left

    def loss(self, task_loss: TaskLoss, logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
        """The CTC loss in place of the task's."""
        return ctc_loss(logits, targets, weights)


PCNSE_SADRN_CTC = Baseline(
    summary="parallel convolutions with squeeze and excitation, dilated residual blocks, self-attention, CTC",
    paper="Zhao, Li, Zhang, Cummins, Wang, Tao, Schuller 2021",
    settings=PcnseSadrnCtcSettings,
    build=PcnseSadrnCtc,
    features="log_mel_deltas",
)
