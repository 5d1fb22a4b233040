"""Where a layer reads: output position j reads input positions stride * j + tap, on each axis.

Told by the layers themselves, so that an operation made of known ones needs no line of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from audionas.ops.gating import SqueezeExcitation
from audionas.ops.identity import FactorizedReduce, Zero
from audionas.ops.padding import CausalAveragePool2d, CausalMaxPool2d, PaddedConv2d

Taps = tuple[tuple[int, ...], tuple[int, ...]]  # of features, of frames
_POINTWISE = (nn.Identity, nn.ReLU, nn.BatchNorm2d, nn.GLU)


@dataclass(frozen=True)
class Layer:
    """One layer. `halves` are read side by side, each at all pairs of its two axes' taps; none reads nothing."""

    stride: int
    halves: tuple[Taps, ...]

    def read(self, wanted: np.ndarray, size: tuple[int, int], axis: int) -> np.ndarray:
        """What is read of the input's axis for the positions wanted of the output's: bool, (positions,) each.

        Args:
            size: (features, frames) of the input. A half whose taps on the other axis all fall beside it reads nothing.
        """
        found = np.zeros(size[axis], dtype=bool)
        others = self.stride * np.arange(-(-size[1 - axis] // self.stride))
        for taps in self.halves:
            if any(_inside(others + tap, size[1 - axis]).size for tap in taps[1 - axis]):
                for tap in taps[axis]:
                    found[_inside(self.stride * np.flatnonzero(wanted) + tap, size[axis])] = True
        return found


def layers_of(module: nn.Module) -> list[Layer]:
    """The layers of an operation or of a preprocessing, in order; those that read each position by itself left out.

    Of squeeze-excitation the map that is scaled; its gates read everything.

    Raises:
        TypeError: a layer is of a kind that is not known here.
    """
    if isinstance(module, nn.Sequential):
        return [layer for part in module for layer in layers_of(part)]
    if isinstance(module, SqueezeExcitation):
        return layers_of(module.reduce)
    if isinstance(module, _POINTWISE):
        return []
    if isinstance(module, Zero):
        return [Layer(module.stride, ())]
    if isinstance(module, FactorizedReduce):
        return [Layer(2, (((0,), (0,)), ((1,), (-1 if module.causal else 1,))))]
    if isinstance(module, PaddedConv2d) and module.zeros:
        before = (module.zeros[2], module.zeros[0])
        return [_layer(module.stride[0], module.kernel_size, module.dilation, before)]
    if isinstance(module, nn.Conv2d) and not isinstance(module.padding, str):
        return [_layer(module.stride[0], module.kernel_size, module.dilation, module.padding)]
    if isinstance(module, (CausalMaxPool2d, CausalAveragePool2d)):
        return [_layer(module.stride, module.kernel, (1, 1), (module.padding[2], module.padding[0]))]
    if isinstance(module, (nn.MaxPool2d, nn.AvgPool2d)):
        sizes = [_pair(each) for each in (module.kernel_size, module.stride, module.padding)]
        return [_layer(sizes[1][0], sizes[0], (1, 1), sizes[2])]
    raise TypeError(f"{type(module).__name__}: not known here which positions it reads; add it to layers_of")


def _layer(stride: int, kernel: Sequence[int], dilation: Sequence[int], before: Sequence[int]) -> Layer:
    features, frames = (
        tuple(step * i - zeros for i in range(size)) for size, step, zeros in zip(kernel, dilation, before, strict=True)
    )
    return Layer(stride, ((features, frames),))


def _pair(value: int | tuple[int, ...]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _inside(places: np.ndarray, size: int) -> np.ndarray:
    kept: np.ndarray = places[(places >= 0) & (places < size)]
    return kept
