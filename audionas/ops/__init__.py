"""Operations that an edge of a cell may hold. The table is read by people: name -> constructor.

A CNN operation is built by `CNN_OPS[name](channels, stride, affine)` and maps
(batch, channels, features, frames) to (batch, channels, ceil(features/stride), ceil(frames/stride)).
"""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from audionas.errors import SettingsError, unknown
from audionas.ops.convolution import DilatedConv, ReluConvBn, SeparableConv
from audionas.ops.identity import FactorizedReduce, Zero
from audionas.ops.pooling import average_pool, max_pool

CnnOp = Callable[[int, int, bool], nn.Module]

NONE = "none"
SKIP = "skip_connect"
POOLS = ("max_pool_3x3", "avg_pool_3x3")

CNN_OPS: dict[str, CnnOp] = {
    NONE: lambda channels, stride, affine: Zero(stride),
    "max_pool_3x3": lambda channels, stride, affine: max_pool(3, stride),
    "avg_pool_3x3": lambda channels, stride, affine: average_pool(3, stride),
    SKIP: lambda channels, stride, affine: (
        nn.Identity() if stride == 1 else FactorizedReduce(channels, channels, affine)
    ),
    "sep_conv_3x3": lambda channels, stride, affine: SeparableConv(channels, 3, stride, affine),
    "sep_conv_5x5": lambda channels, stride, affine: SeparableConv(channels, 5, stride, affine),
    "dil_conv_3x3": lambda channels, stride, affine: DilatedConv(channels, 3, stride, affine),
    "dil_conv_5x5": lambda channels, stride, affine: DilatedConv(channels, 5, stride, affine),
}


CNN_OP_SUMMARIES: dict[str, str] = {
    "none": "no connection",
    "max_pool_3x3": "3x3 maximum",
    "avg_pool_3x3": "3x3 mean",
    "skip_connect": "identity; factorised reduction at stride 2",
    "sep_conv_3x3": "separable 3x3 convolution, twice",
    "sep_conv_5x5": "separable 5x5 convolution, twice",
    "dil_conv_3x3": "3x3 convolution with dilation 2, separable",
    "dil_conv_5x5": "5x5 convolution with dilation 2, separable",
}


def build_cnn_op(name: str, channels: int, stride: int, affine: bool) -> nn.Module:
    """The module of a CNN operation.

    Raises:
        SettingsError: the name is not in `CNN_OPS`.
    """
    if name not in CNN_OPS:
        raise SettingsError(unknown("operation", name, CNN_OPS))
    return CNN_OPS[name](channels, stride, affine)


__all__ = [
    "CNN_OPS",
    "CNN_OP_SUMMARIES",
    "NONE",
    "POOLS",
    "SKIP",
    "CnnOp",
    "FactorizedReduce",
    "ReluConvBn",
    "build_cnn_op",
]
