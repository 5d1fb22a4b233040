"""MACs of the networks of a retraining, counted once for all its folds and seeds."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from audionas.models.macs import n_macs
from audionas.spaces import Genotype

_KNOWN: dict[tuple[str, tuple[int, ...], int, bool], int] = {}


def known_macs(
    genotype: Genotype, network: nn.Module, input_shape: Sequence[int], n_outputs: int, auxiliary: bool = False
) -> int:
    """`n_macs` of the network of a genotype; equal genotypes, inputs, outputs and heads are counted once a process.

    Args:
        network: what was built from the genotype; counting takes as long as several of its training steps.
        auxiliary: it has an auxiliary head.
    """
    key = (genotype.hash, tuple(input_shape), n_outputs, auxiliary)
    if key not in _KNOWN:
        _KNOWN[key] = n_macs(network, input_shape)
    return _KNOWN[key]
