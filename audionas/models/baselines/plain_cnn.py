"""A plain CNN: four blocks of 3x3 convolution, batch normalisation, ReLU and 2x2 max pooling; mean; one linear layer.

Of no paper; what a practitioner would try first.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from pydantic import Field
from torch import Tensor, nn

from audionas.models.baselines.baseline import ADAM, Baseline, Shape
from audionas.models.frame_pooling import FramePooling
from audionas.models.masked_maps import masked, strided
from audionas.records import Record


class PlainCnnSettings(Record):
    """Channels of the four blocks."""

    channels: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1, max_length=6)] = (16, 32, 64, 64)


class PlainCnn(nn.Module):
    """x, lengths (batch,) -> logits (batch, classes).

    Frames beyond a clip's own are set to 0 before each convolution, which is what a convolution reads beyond the
    edge of an unpadded clip and, after a ReLU, what no maximum is below, and left out of the mean: padding changes no
    score.
    """

    def __init__(self, settings: PlainCnnSettings, input_shape: Shape, n_classes: int) -> None:
        super().__init__()
        widths = (input_shape[0], *settings.channels)
        self.blocks = nn.ModuleList(_block(before, after) for before, after in pairwise(widths))
        self.pooling = FramePooling(widths[-1], "mean")
        self.head = nn.Linear(widths[-1], n_classes)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Logits."""
        for block in self.blocks:
            x, lengths = masked(block(masked(x, lengths)), lengths), strided(lengths, 2)
            x = nn.functional.max_pool2d(x, 2, ceil_mode=True)
        return self.head(self.pooling(x.mean(dim=2).transpose(1, 2), lengths))  # type: ignore[no-any-return]


def _block(before: int, after: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU())


PLAIN_CNN = Baseline(
    summary="four blocks of 3x3 convolution, BN, ReLU and pooling, mean over time, one linear layer",
    paper="",
    settings=PlainCnnSettings,
    build=PlainCnn,
    features="log_mel_small",
    recipe=ADAM,
)
