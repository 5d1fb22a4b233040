"""`attention_pooling_cnn`: a CNN over spectrograms whose scores are pooled by two attention maps.

Source: Li, Song, McLoughlin, Guo, Dai 2018, "An Attention Pooling based Representation Learning Method for Speech
Emotion Recognition", section 2 and figure 1. Filters along frequency (10x2) and along time (2x8) side by side, four
convolutions of 3x3, BN and ReLU after each, 2x2 max pooling, and one of three poolings over the last feature map.

What the paper leaves open, and how it is read: the channels between 16 and 80 and the places of the two max poolings
are those of the re-implementations that are public; even filters take one zero more after than before, so that both
first convolutions give maps of the input's size; convolutions have biases.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

import torch
from pydantic import Field, field_validator, model_validator
from torch import Tensor, nn

from audionas.models.baselines.baseline import Baseline, Shape
from audionas.models.masked_maps import ConvLayer, MaskedMaps
from audionas.models.spatial_pooling import SPATIAL_POOLINGS, AttentionMaps, AttentionPooling
from audionas.records import Record

LONGEST_SIDE = 512
_FILTERS = re.compile(r"[0-9]{1,3}x[0-9]{1,3}(\+[0-9]{1,3}x[0-9]{1,3})*")
Channels = Annotated[int, Field(ge=1, le=4096)]


class AttentionPoolingCnnSettings(Record):
    """Defaults are the paper's. `filters` stand side by side in the first convolution, each features x frames, and
    share its channels; `channels` are those after each convolution; `pool_after` numbers convolutions from 1. One
    filter, `channels: [16]`, `pool_after: []` and `pooling: gap` are the network of figure 2.

    `reduce` says how attention pooling takes the product of its maps together: the paper averages, which shrinks the
    scores by the size of the map, since the softmax sums to 1; the default is the sum. `bilinear_order` is the order
    of the l2 norm and the signed square root; the paper's text has the norm first, Lin et al. 2015 have it last.
    """

    filters: str = "10x2+2x8"
    channels: Annotated[tuple[Channels, ...], Field(min_length=1, max_length=16)] = (16, 32, 48, 64, 80)
    pool_after: tuple[int, ...] = (2, 3)
    pooling: Literal["attention", "gap", "bilinear"] = "attention"
    reduce: Literal["sum", "mean"] = "sum"
    bilinear_order: Literal["norm_first", "root_first"] = "norm_first"

    @field_validator("filters")
    @classmethod
    def _are_filters(cls, filters: str) -> str:
        sides = [side for each in filters.split("+") for side in each.split("x")]
        if not _FILTERS.fullmatch(filters) or not all(1 <= int(side) <= LONGEST_SIDE for side in sides):
            raise ValueError(f"must be features x frames, 1 to {LONGEST_SIDE} each, as 10x2, several as 10x2+2x8")
        return filters

    @model_validator(mode="after")
    def _layers_exist(self) -> AttentionPoolingCnnSettings:
        shapes = self.filter_shapes
        if self.channels[0] % len(shapes):
            raise ValueError(
                f"channels: the first, {self.channels[0]}, must be a multiple of the {len(shapes)} filters"
            )
        wrong = sorted(set(self.pool_after) - set(range(1, len(self.channels) + 1)))
        if wrong:
            raise ValueError(f"pool_after: got {wrong}, must be from 1 to {len(self.channels)}, the convolutions")
        return self

    @property
    def filter_shapes(self) -> tuple[tuple[int, int], ...]:
        """(features, frames) of each filter."""
        sides = [each.split("x") for each in self.filters.split("+")]
        return tuple((int(height), int(width)) for height, width in sides)


class AttentionPoolingCnn(nn.Module):
    """(batch, channels, features, frames) float32 -> logits (batch, classes).

    `lengths` (batch,) int64 are own frames: what follows them is set to zero before every convolution, as a
    convolution's own padding is, and left out of the pooling, so that in eval mode a clip gets the scores that it gets
    alone. In training the statistics of BN count it.
    """

    def __init__(self, settings: AttentionPoolingCnnSettings, input_shape: Shape, n_classes: int) -> None:
        super().__init__()
        first, *others = settings.channels
        shapes = settings.filter_shapes
        self.first = nn.ModuleList(ConvLayer(input_shape[0], first // len(shapes), shape) for shape in shapes)
        pairs = zip(settings.channels, others, strict=False)
        self.others = nn.ModuleList(ConvLayer(before, after, (3, 3)) for before, after in pairs)
        self.pool_after = frozenset(settings.pool_after)
        option = {"attention": settings.reduce, "bilinear": settings.bilinear_order}.get(settings.pooling, "")
        self.pooling = SPATIAL_POOLINGS[settings.pooling](settings.channels[-1], n_classes, option)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Logits."""
        return self.pooling(self.feature_maps(x, lengths))  # type: ignore[no-any-return]

    def feature_maps(self, x: Tensor, lengths: Tensor | None = None) -> MaskedMaps:
        """What the pooling reads: (batch, channels', features', frames') of the last convolution."""
        maps = MaskedMaps.of(x, lengths)
        first = torch.cat([layer(maps).values for layer in self.first], dim=1)
        # channels side by side in memory: convolutions of many channels are twice as fast on a CPU
        maps = MaskedMaps(first.contiguous(memory_format=torch.channels_last), maps.lengths)
        maps = self._pooled(maps, 1)
        for number, layer in enumerate(self.others, start=2):
            maps = self._pooled(layer(maps), number)
        return maps

    def _pooled(self, maps: MaskedMaps, number: int) -> MaskedMaps:
        return maps.max_pooled() if number in self.pool_after else maps

    @torch.no_grad()
    def attention_maps(self, x: Tensor, lengths: Tensor | None = None) -> AttentionMaps:
        """The maps by which the scores come about, for pictures.

        Raises:
            TypeError: the network pools by something else; see `has_attention_maps`.
        """
        if not isinstance(self.pooling, AttentionPooling):
            raise TypeError(f"a network with {type(self.pooling).__name__} has no attention maps")
        return self.pooling.maps(self.feature_maps(x, lengths))

    @property
    def has_attention_maps(self) -> bool:
        """Whether the network pools by attention."""
        return isinstance(self.pooling, AttentionPooling)


ATTENTION_POOLING_CNN = Baseline(
    summary="filters along frequency and along time, four 3x3 convolutions, attention, average or bilinear pooling",
    paper="Li, Song, McLoughlin, Guo, Dai 2018",
    settings=AttentionPoolingCnnSettings,
    build=AttentionPoolingCnn,
    features="attention_pooling_cnn",
    recipe={
        "optimiser": "sgd",
        "learning_rate": 0.05,
        "momentum": 0.9,
        "nesterov": True,
        "weight_decay": 1.0e-4,
        "schedule": "steps",
        "milestones": (0.4, 0.6, 0.8),  # from epochs 21, 31 and 41 of 50 on
        "gradient_clip": 1.0e6,  # the paper does not clip
    },
    epochs=50,
    batch_size=64,
    class_weighting="none",
)
