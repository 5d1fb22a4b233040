"""Operations that an edge of a cell may hold. The table is read by people: name -> constructor.

A CNN operation is built by `CNN_OPS[name](channels, stride, affine, causal)` and maps
(batch, channels, features, frames) to (batch, channels, ceil(features/stride), ceil(frames/stride)).
A name that ends in HxW has a kernel of H features by W frames: 1xW works along time, Hx1 along frequency.
A causal one's output frame j reads no input frame after stride * j.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from audionas.errors import SettingsError, unknown
from audionas.ops.convolution import DilatedConv, PlainConv, ReluConvBn, SeparableConv
from audionas.ops.gating import GatedConv, SqueezeExcitation
from audionas.ops.identity import FactorizedReduce, Zero
from audionas.ops.padding import PaddedConv2d, Pair
from audionas.ops.pooling import average_pool, max_pool

CnnOp = Callable[[int, int, bool, bool], nn.Module]

NONE = "none"
SKIP = "skip_connect"


def _skip(channels: int, stride: int, affine: bool, causal: bool) -> nn.Module:
    return nn.Identity() if stride == 1 else FactorizedReduce(channels, channels, affine, causal)


def _separable(kernel: int) -> CnnOp:
    return lambda channels, stride, affine, causal: SeparableConv(channels, kernel, stride, affine, causal)


def _dilated(kernel: Pair) -> CnnOp:
    return lambda channels, stride, affine, causal: DilatedConv(channels, kernel, stride, affine, causal)


def _plain(kernel: Pair) -> CnnOp:
    return lambda channels, stride, affine, causal: PlainConv(channels, kernel, stride, affine, causal)


def _max_pool(kernel: Pair) -> CnnOp:
    return lambda channels, stride, affine, causal: max_pool(kernel, stride, causal)


def _average_pool(kernel: Pair) -> CnnOp:
    return lambda channels, stride, affine, causal: average_pool(kernel, stride, causal)


CNN_OPS: dict[str, CnnOp] = {
    NONE: lambda channels, stride, affine, causal: Zero(stride),
    "max_pool_3x3": _max_pool((3, 3)),
    "avg_pool_3x3": _average_pool((3, 3)),
    SKIP: _skip,
    "sep_conv_3x3": _separable(3),
    "sep_conv_5x5": _separable(5),
    "dil_conv_3x3": _dilated((3, 3)),
    "dil_conv_5x5": _dilated((5, 5)),
    "conv_1x5": _plain((1, 5)),
    "conv_5x1": _plain((5, 1)),
    "conv_1x9": _plain((1, 9)),
    "conv_9x1": _plain((9, 1)),
    "conv_2x8": _plain((2, 8)),
    "conv_10x2": _plain((10, 2)),
    "max_pool_1x3": _max_pool((1, 3)),
    "max_pool_3x1": _max_pool((3, 1)),
    "avg_pool_1x3": _average_pool((1, 3)),
    "avg_pool_3x1": _average_pool((3, 1)),
    "dil_conv_1x5": _dilated((1, 5)),
    "dil_conv_5x1": _dilated((5, 1)),
    "squeeze_excitation": SqueezeExcitation,
    "glu_3x3": lambda channels, stride, affine, causal: GatedConv(channels, (3, 3), stride, affine, causal),
}

POOLS = tuple(name for name in CNN_OPS if name.startswith(("max_pool_", "avg_pool_")))

CNN_OP_SUMMARIES: dict[str, str] = {
    "none": "no connection",
    "max_pool_3x3": "3x3 maximum",
    "avg_pool_3x3": "3x3 mean",
    "skip_connect": "identity; factorised reduction at stride 2",
    "sep_conv_3x3": "separable 3x3 convolution, twice",
    "sep_conv_5x5": "separable 5x5 convolution, twice",
    "dil_conv_3x3": "3x3 convolution with dilation 2, separable",
    "dil_conv_5x5": "5x5 convolution with dilation 2, separable",
    "conv_1x5": "convolution over 5 frames",
    "conv_5x1": "convolution over 5 features",
    "conv_1x9": "convolution over 9 frames",
    "conv_9x1": "convolution over 9 features",
    "conv_2x8": "convolution over 2 features, 8 frames: the time filter of Li et al. 2018",
    "conv_10x2": "convolution over 10 features, 2 frames: the frequency filter of Li et al. 2018",
    "max_pool_1x3": "maximum over 3 frames",
    "max_pool_3x1": "maximum over 3 features",
    "avg_pool_1x3": "mean over 3 frames",
    "avg_pool_3x1": "mean over 3 features",
    "dil_conv_1x5": "convolution over 5 frames with dilation 2, separable",
    "dil_conv_5x1": "convolution over 5 features with dilation 2, separable",
    "squeeze_excitation": "channels scaled by gates from their means (Hu et al. 2018)",
    "glu_3x3": "3x3 convolution with a gate, a gated linear unit (Dauphin et al. 2017)",
}


def build_cnn_op(name: str, channels: int, stride: int, affine: bool, causal: bool = False) -> nn.Module:
    """The module of a CNN operation; `causal` ones read no later frame.

    Raises:
        SettingsError: the name is not in `CNN_OPS`.
    """
    if name not in CNN_OPS:
        raise SettingsError(unknown("operation", name, CNN_OPS))
    return CNN_OPS[name](channels, stride, affine, causal)


__all__ = [
    "CNN_OPS",
    "CNN_OP_SUMMARIES",
    "NONE",
    "POOLS",
    "SKIP",
    "CnnOp",
    "FactorizedReduce",
    "PaddedConv2d",
    "ReluConvBn",
    "build_cnn_op",
]
