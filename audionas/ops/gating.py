"""Operations that scale a map by a gate computed from it: gated linear unit, squeeze-excitation.

All map (batch, channels, features, frames) float32 to the same with ceil(size / stride).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from audionas.ops.identity import FactorizedReduce
from audionas.ops.padding import PaddedConv2d, Pair

SQUEEZE_RATIO = 4


class GatedConv(nn.Sequential):
    """One convolution to twice the channels, BN, and the first half times the sigmoid of the second.

    Source: Dauphin, Fan, Auli, Grangier 2017, "Language Modeling with Gated Convolutional Networks", section 2,
    with BN before the gate. There is no ReLU: the gate takes its place.
    """

    def __init__(self, channels: int, kernel: Pair, stride: int, affine: bool, causal: bool = False) -> None:
        super().__init__(
            PaddedConv2d(channels, 2 * channels, kernel, stride, causal=causal),
            nn.BatchNorm2d(2 * channels, affine=affine),
            nn.GLU(dim=1),
        )


class SqueezeExcitation(nn.Module):
    """Each channel times a gate in (0, 1), computed from the means of all channels over features and frames.

    Two fully connected layers (to a quarter of the channels, at least 2; ReLU; back; sigmoid), with biases. At
    stride 2 the map is reduced first, as by a skip connection. Causal: the means run, each frame has a gate of its
    own from the frames up to it. Padding counts like any frame.
    Source: Hu, Shen, Sun 2018, "Squeeze-and-Excitation Networks", section 3 (there the ratio is 16, for wider maps).
    """

    def __init__(self, channels: int, stride: int, affine: bool, causal: bool = False) -> None:
        super().__init__()
        hidden = max(2, channels // SQUEEZE_RATIO)
        self.reduce = nn.Identity() if stride == 1 else FactorizedReduce(channels, channels, affine, causal)
        self.gate = nn.Sequential(
            nn.Conv2d(channels, hidden, 1), nn.ReLU(), nn.Conv2d(hidden, channels, 1), nn.Sigmoid()
        )
        self.causal = causal

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, features, frames) -> the same, strided."""
        x = self.reduce(x)
        means = running_mean(x.mean(dim=2, keepdim=True)) if self.causal else x.mean(dim=(2, 3), keepdim=True)
        return x * self.gate(means)  # type: ignore[no-any-return]


def running_mean(x: Tensor) -> Tensor:
    """The mean over the frames up to each frame, the last axis; the same shape."""
    counts = torch.arange(1, x.shape[-1] + 1, device=x.device, dtype=x.dtype)
    return x.cumsum(dim=-1) / counts
