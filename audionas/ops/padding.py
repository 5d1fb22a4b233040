"""Convolution and pooling that keep the size at stride 1 and halve it, rounding up, at stride 2, for any kernel.

All map (batch, channels, features, frames) float32 to the same with ceil(size / stride). A kernel `(height, width)`
is height features by width frames. Its zeros stand half before and half after (of an odd number the larger half
after), as an even kernel needs it; `causal` puts all zeros of the frames axis before: output frame j then reads
no input frame after stride * j. The features axis stays centred: frequencies have no before and after.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

Pair = tuple[int, int]
Padding = tuple[int, int, int, int]


def padding_of(kernel: Pair, dilation: Pair, causal: bool) -> Padding:
    """Zeros (frames before, frames after, features before, features after), in the order of torch's `pad`.

    >>> padding_of((10, 2), (1, 1), causal=False), padding_of((3, 3), (1, 2), causal=True)
    ((0, 1, 4, 5), (4, 0, 1, 1))
    """
    features, frames = ((size - 1) * step for size, step in zip(kernel, dilation, strict=True))
    frames_before = frames if causal else frames // 2
    return (frames_before, frames - frames_before, features // 2, features - features // 2)


class PaddedConv2d(nn.Conv2d):
    """A convolution without bias whose zeros need not be as many on both sides."""

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel: Pair,
        stride: int = 1,
        dilation: Pair = (1, 1),
        groups: int = 1,
        *,
        causal: bool = False,
    ) -> None:
        own = padding_of(kernel, dilation, causal)
        is_even = own[0] == own[1] and own[2] == own[3]
        super().__init__(
            channels_in, channels_out, kernel, stride, (own[2], own[0]) if is_even else 0, dilation, groups, bias=False
        )
        self.zeros = None if is_even else own

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, features, frames) -> (batch, channels, ceil(features/stride), ceil(frames/stride))."""
        return super().forward(x if self.zeros is None else functional.pad(x, self.zeros))


class CausalMaxPool2d(nn.Module):
    """Maximum over this frame and those before it, padded with -infinity."""

    def __init__(self, kernel: Pair, stride: int) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        self.padding = padding_of(kernel, (1, 1), causal=True)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, features, frames) -> the same, strided."""
        return functional.max_pool2d(functional.pad(x, self.padding, value=-torch.inf), self.kernel, self.stride)


class CausalAveragePool2d(nn.Module):
    """Mean over this frame and those before it; padding is not counted."""

    def __init__(self, kernel: Pair, stride: int) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        self.padding = padding_of(kernel, (1, 1), causal=True)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, features, frames) -> the same, strided."""
        return self._padded_mean(x) / self._padded_mean(torch.ones_like(x[:1, :1]))

    def _padded_mean(self, x: Tensor) -> Tensor:
        return functional.avg_pool2d(functional.pad(x, self.padding), self.kernel, self.stride)
