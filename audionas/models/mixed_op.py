"""One edge of the CNN supernet: all its candidate operations, on all channels or on some of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from audionas.ops import NONE, POOLS, build_cnn_op


class MixedOp(nn.Module):
    """All candidate operations of one edge.

    With `partial` K above 1 only the first 1/K of the channels goes through them, and the channels are shuffled
    afterwards; K is lowered to a divisor of `channels` that leaves two channels or more
    (a factorised reduction has two halves).

    Sources: Liu et al. 2019 (DARTS) and its release (pools followed by BN, BN without affine parameters); Xu et al.
    2020 (PC-DARTS), section 3.2 and its release (the other channels pass by, through 2x2 maxima at stride 2).
    Difference: those maxima keep an odd last row or column, as every operation does at stride 2.
    """

    def __init__(
        self, names: tuple[str, ...], channels: int, stride: int, partial: int = 1, causal: bool = False
    ) -> None:
        super().__init__()
        self.names = names
        self.stride = stride
        self.partial = max(k for k in range(1, max(min(partial, channels // 2), 1) + 1) if channels % k == 0)
        own = channels // self.partial
        self.ops = nn.ModuleList(self._build(name, own, stride, causal) for name in names)

    @staticmethod
    def _build(name: str, channels: int, stride: int, causal: bool) -> nn.Module:
        op = build_cnn_op(name, channels, stride, False, causal)
        return nn.Sequential(op, nn.BatchNorm2d(channels, affine=False)) if name in POOLS else op

    def forward(self, x: Tensor, weights: Tensor, active: Sequence[bool] | None = None) -> Tensor:
        """(batch, channels, features, frames), weights (ops,) -> their weighted sum; of the active ones if given."""
        own, rest = self._divide(x)
        terms = [
            weights[k] * op(own)
            for k, op in enumerate(self.ops)
            if self.names[k] != NONE and (active is None or active[k])
        ]
        mixed = sum(terms[1:], terms[0]) if terms else own[:, :, :: self.stride, :: self.stride] * 0.0
        return self._join(mixed, rest)

    def largest(self, n: int) -> list[bool]:
        """Of each operation whether it is one of the `n` with the most parameters: a bound on the cost of a path."""
        sizes = [sum(p.numel() for p in op.parameters()) for op in self.ops]
        first = sorted(range(len(sizes)), key=lambda k: -sizes[k])[:n]
        return [k in first for k in range(len(sizes))]

    def _divide(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        if self.partial == 1:
            return x, None
        own = x.shape[1] // self.partial
        return x[:, :own], x[:, own:]

    def _join(self, mixed: Tensor, rest: Tensor | None) -> Tensor:
        if rest is None:
            return mixed
        if self.stride > 1:
            rest = max_pool2d(rest, self.stride, self.stride, ceil_mode=True)
        return shuffled(torch.cat([mixed, rest], dim=1), self.partial)


def shuffled(x: Tensor, groups: int) -> Tensor:
    """(batch, channels, features, frames) with channel g * channels/groups + i moved to i * groups + g.

    Source: Zhang et al. 2018 (ShuffleNet), as in the release of PC-DARTS.
    """
    batch, channels, features, frames = x.shape
    return x.reshape(batch, groups, channels // groups, features, frames).transpose(1, 2).reshape(x.shape)
