"""What the edges out of one state give a cell's nodes, computed together: terms of mixed sums, not yet normalised.

Every edge of the supernet runs the same kinds of operations on the same state, so one ReLU, one pool and one call of
the kernels serve all of them. The BN without affine parameters that ends an operation is left to the mixed sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from audionas.kernels.depthwise_pointwise import Taps, depthwise_pointwise
from audionas.kernels.halves import rectified_halves
from audionas.kernels.joint_pairs import joint_normalised_pairs, joint_pairs, takes_joint
from audionas.kernels.pools import max_and_average_pool
from audionas.models.mixed_op import MixedOp
from audionas.ops import NONE, POOLS, FactorizedReduce
from audionas.ops.convolution import DilatedConv, SeparableConv, taps_of


@dataclass(frozen=True)
class Term:
    """One operation's output, (batch, channels, features, frames); `norm` is still to be applied to it, if any."""

    edge: int
    op: int
    value: Tensor
    norm: nn.BatchNorm2d | None


@dataclass(frozen=True)
class Candidate:
    """An operation of an edge that has to be computed."""

    edge: int
    op: int
    name: str
    module: nn.Module


def terms_of_source(h: Tensor, edges: Sequence[tuple[int, MixedOp]], active: Callable[[int, int], bool]) -> list[Term]:
    """Terms of all edges (number, operations) out of a state, (batch, channels, features, frames), but those of `none`.

    `active(edge, op)`: whether that operation is to be computed.
    """
    wanted = [
        Candidate(number, k, name, op)
        for number, mixed in edges
        for k, (name, op) in enumerate(zip(mixed.names, mixed.ops, strict=True))
        if name != NONE and active(number, k)
    ]
    found: list[Term] = []
    rest = list(wanted)
    stride = edges[0][1].stride
    for is_of, compute in _TOGETHER:
        own = [each for each in rest if is_of(each)]
        if own:
            found += compute(h, own, stride)
            rest = [each for each in rest if not is_of(each)]
    rectified = cache(lambda: functional.relu(h))
    return found + [_alone(h, rectified, each) for each in rest]


def _alone(h: Tensor, rectified: Callable[[], Tensor], candidate: Candidate) -> Term:
    """Any other operation: by itself, from the ReLU that others begin with too, up to a BN that ends it."""
    module = candidate.module
    if not isinstance(module, nn.Sequential):
        return Term(candidate.edge, candidate.op, module(h), None)
    layers = list(module)
    last = layers.pop() if isinstance(layers[-1], nn.BatchNorm2d) and not layers[-1].affine else None
    x = rectified() if isinstance(layers[0], nn.ReLU) else h
    for layer in layers[1:] if isinstance(layers[0], nn.ReLU) else layers:
        x = layer(x)
    assert last is None or isinstance(last, nn.BatchNorm2d)
    return Term(candidate.edge, candidate.op, x, last)


def _pools(h: Tensor, wanted: Sequence[Candidate], stride: int) -> list[Term]:
    """Each kind of pool once, whatever the number of edges; the 3x3 of DARTS in one pass."""
    values: dict[str, Tensor] = {}
    names = {each.name for each in wanted}
    if {"max_pool_3x3", "avg_pool_3x3"} <= names and isinstance(_pool(wanted[0]), nn.MaxPool2d | nn.AvgPool2d):
        values["max_pool_3x3"], values["avg_pool_3x3"] = max_and_average_pool(h, stride)
    for each in wanted:
        if each.name not in values:
            values[each.name] = _pool(each)(h)
    return [Term(each.edge, each.op, values[each.name], _last(each)) for each in wanted]


def _pool(candidate: Candidate) -> nn.Module:
    assert isinstance(candidate.module, nn.Sequential)
    return candidate.module[0]


def _last(candidate: Candidate) -> nn.BatchNorm2d:
    assert isinstance(candidate.module, nn.Sequential)
    norm = candidate.module[-1]
    assert isinstance(norm, nn.BatchNorm2d)
    return norm


def _separable(h: Tensor, wanted: Sequence[Candidate], stride: int) -> list[Term]:
    """Both stages of all separable convolutions; the BN between them is part of the second."""
    if takes_joint(h, [taps_of(layer) for layer in _layers(wanted, 1)]):
        return _jointly(h, wanted, stride, n_stages=2)
    modules = [each.module for each in wanted]
    first, _, _ = _stage([h], modules, 0, stride, normalise=False)
    second, mean, variance = _stage(first, modules, 4, 1, normalise=True)
    note_statistics([module[3] for module in modules], mean, variance, first[0])  # type: ignore[index]
    return [Term(each.edge, each.op, value, _last(each)) for each, value in zip(wanted, second, strict=True)]


def _dilated(h: Tensor, wanted: Sequence[Candidate], stride: int) -> list[Term]:
    if takes_joint(h, [taps_of(layer) for layer in _layers(wanted, 1)]):
        return _jointly(h, wanted, stride, n_stages=1)
    values, _, _ = _stage([h], [each.module for each in wanted], 0, stride, normalise=False)
    return [Term(each.edge, each.op, value, _last(each)) for each, value in zip(wanted, values, strict=True)]


def _jointly(h: Tensor, wanted: Sequence[Candidate], stride: int, n_stages: int) -> list[Term]:
    """On a card: all edges in one convolution for each size of the filter."""
    by_taps: dict[Taps, list[Candidate]] = {}
    for each, layer in zip(wanted, _layers(wanted, 1), strict=True):
        by_taps.setdefault(taps_of(layer), []).append(each)
    found, rectified = [], functional.relu(h)
    for taps, own in by_taps.items():
        value = joint_pairs(rectified, _weights(own, 1), _weights(own, 2), taps, stride)
        if n_stages == 2:
            value, mean, variance = joint_normalised_pairs(before := value, _weights(own, 5), _weights(own, 6), taps)
            like = before[:, : h.shape[1]]
            note_statistics([cast(nn.BatchNorm2d, layer) for layer in _layers(own, 3)], mean, variance, like)
        parts = value.chunk(len(own), dim=1)
        found += [Term(each.edge, each.op, part, _last(each)) for each, part in zip(own, parts, strict=True)]
    return found


def _layers(wanted: Sequence[Candidate], number: int) -> list[nn.Module]:
    return [each.module[number] for each in wanted]  # type: ignore[index]


def _weights(wanted: Sequence[Candidate], number: int) -> list[Tensor]:
    return [cast(Tensor, layer.weight) for layer in _layers(wanted, number)]


def _stage(
    x: Sequence[Tensor], modules: Sequence[nn.Module], first: int, stride: int, *, normalise: bool
) -> tuple[list[Tensor], Tensor, Tensor]:
    """ReLU, depthwise, pointwise of each module, from its layer `first` on."""
    depthwise = [module[first + 1] for module in modules]  # type: ignore[index]
    pointwise = [module[first + 2] for module in modules]  # type: ignore[index]
    return depthwise_pointwise(
        x,
        [layer.weight for layer in depthwise],
        [layer.weight for layer in pointwise],
        [taps_of(layer) for layer in depthwise],
        stride,
        normalise,
    )


def _reduced(h: Tensor, wanted: Sequence[Candidate], _: int) -> list[Term]:
    """Factorised reductions: two 1x1 convolutions for all edges."""
    modules = [each.module for each in wanted]
    halves = [
        functional.conv2d(part, torch.cat([getattr(module, name).weight for module in modules]))
        for name, part in zip(("conv_1", "conv_2"), rectified_halves(h, modules[0].causal), strict=True)  # type: ignore[arg-type]
    ]
    sizes = [[getattr(module, name).out_channels for module in modules] for name in ("conv_1", "conv_2")]
    first, second = (torch.split(half, size, dim=1) for half, size in zip(halves, sizes, strict=True))
    return [
        Term(each.edge, each.op, torch.cat([a, b], dim=1), each.module.bn)  # type: ignore[arg-type]
        for each, a, b in zip(wanted, first, second, strict=True)
    ]


def note_statistics(norms: Sequence[nn.BatchNorm2d | None], means: Tensor, variances: Tensor, of: Tensor) -> None:
    """Move the running statistics of several BN layers as torch does, in a few operations for all of them.

    Args:
        norms: the layers, or None where there is nothing to note.
        means: of each layer's batch, (layers, channels).
        variances: biased, (layers, channels).
        of: a tensor of the size of those that the statistics are of, (batch, channels, features, frames).
    """
    n = of.numel() // of.shape[1]
    noted: dict[float, list[tuple[nn.BatchNorm2d, int]]] = {}
    for k, norm in enumerate(norms):
        if norm is not None and norm.training and norm.track_running_stats and norm.running_mean is not None:
            assert norm.momentum is not None
            noted.setdefault(norm.momentum, []).append((norm, k))
    if not noted:
        return
    with torch.no_grad():
        mean_of, variance_of = means.unbind(), (variances * (n / (n - 1))).unbind()
        for momentum, own in noted.items():
            means_now, variances_now, counts = (
                [cast(Tensor, getattr(norm, name)) for norm, _ in own]
                for name in ("running_mean", "running_var", "num_batches_tracked")
            )
            torch._foreach_lerp_(means_now, [mean_of[k] for _, k in own], momentum)
            torch._foreach_lerp_(variances_now, [variance_of[k] for _, k in own], momentum)
            torch._foreach_add_(counts, 1)


_Together = tuple[Callable[[Candidate], bool], Callable[[Tensor, Sequence[Candidate], int], Iterable[Term]]]
_TOGETHER: tuple[_Together, ...] = (
    (lambda each: each.name in POOLS, _pools),
    (lambda each: isinstance(each.module, SeparableConv), _separable),
    (lambda each: isinstance(each.module, DilatedConv), _dilated),
    (lambda each: isinstance(each.module, FactorizedReduce), _reduced),
)
