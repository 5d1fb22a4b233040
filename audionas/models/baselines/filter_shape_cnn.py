"""`filter_shape_cnn`: one convolution, global average pooling and a linear layer, by which filter shapes are compared.

Source: Li et al. 2018, section 3.2 and figure 2: the first convolution of `attention_pooling_cnn` tested alone, with
filters of 2 to 100 features (20 to 1000 Hz) by 2 frames, and of 2 features by 2 to 80 frames (20 to 800 ms).
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from torch import Tensor, nn

from audionas.models.masked_maps import ConvLayer, MaskedMaps
from audionas.models.spatial_pooling import GlobalAveragePooling
from audionas.records import Record

Side = Annotated[int, Field(ge=1, le=512)]


class FilterShapeCnnSettings(Record):
    """`shape` is (features, frames); the default is the best of the paper along frequency. Its layer has 16 filters."""

    shape: tuple[Side, Side] = (10, 2)
    channels: Annotated[int, Field(ge=1, le=4096)] = 16


class FilterShapeCnn(nn.Module):
    """(batch, channels, features, frames) float32 -> logits (batch, classes); `lengths` as in `AttentionPoolingCnn`."""

    def __init__(self, settings: FilterShapeCnnSettings, input_shape: tuple[int, int, int], n_classes: int) -> None:
        super().__init__()
        self.layer = ConvLayer(input_shape[0], settings.channels, settings.shape)
        self.pooling = GlobalAveragePooling(settings.channels, n_classes)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Logits."""
        return self.pooling(self.layer(MaskedMaps.of(x, lengths)))  # type: ignore[no-any-return]


def build(settings: Any, input_shape: tuple[int, int, int], n_classes: int) -> nn.Module:
    """The network; its weights are drawn from torch's global generator."""
    return FilterShapeCnn(settings, input_shape, n_classes)
