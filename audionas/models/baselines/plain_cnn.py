"""`plain_cnn`: blocks of 3x3 convolution, batch norm, ReLU and pooling, then the average of all: no tricks."""

from __future__ import annotations

from itertools import pairwise

from pydantic import Field
from torch import Tensor, nn

from audionas.models.masked_maps import masked, masked_average, own_lengths, strided
from audionas.records import Record


class PlainCnnSettings(Record):
    """`channels` of the first block; each later one has twice as many as the one before."""

    channels: int = Field(default=16, ge=1, le=512)
    n_blocks: int = Field(default=4, ge=1, le=8)


class PlainCnn(nn.Module):
    """x (batch, channels, features, frames) float32, lengths (batch,) int64 -> logits (batch, classes).

    Any size of input down to one feature and one frame: the maximum over 2 x 2 rounds up at the edges.
    """

    def __init__(self, settings: PlainCnnSettings, n_channels: int, n_classes: int) -> None:
        super().__init__()
        widths = [n_channels, *(settings.channels * 2**block for block in range(settings.n_blocks))]
        pairs = pairwise(widths)
        self.convolutions = nn.ModuleList(
            [nn.Conv2d(before, after, 3, padding=1, bias=False) for before, after in pairs]
        )
        self.norms = nn.ModuleList([nn.BatchNorm2d(width) for width in widths[1:]])
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        self.classifier = nn.Linear(widths[-1], n_classes)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Logits; what lies beyond a clip's length changes nothing in eval mode."""
        own = own_lengths(lengths, x)
        x = masked(x, own)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = self.pool(masked(norm(convolution(x)).relu(), own))
            own = strided(own, 2)
        return self.classifier(masked_average(x, own))  # type: ignore[no-any-return]


def build(settings: PlainCnnSettings, input_shape: tuple[int, int, int], n_classes: int) -> PlainCnn:
    """The network for features of so many channels."""
    return PlainCnn(settings, input_shape[0], n_classes)
