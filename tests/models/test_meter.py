"""The meter: what it measures is the network that is built, once for each genotype, and without a trace."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from audionas.features import LogMel
from audionas.models import build_model, n_parameters
from audionas.models.latency import Latency
from audionas.models.meter import Meter, Place
from audionas.spaces import CnnCellSpace, CnnGenotype

SPACE = CnnCellSpace(nodes=2, ops=("skip_connect", "sep_conv_3x3"), macro={"n_cells": 2, "channels": 2})
PLACE = Place(LogMel(sample_rate_hz=8000, length_s=0.5, n_mels=8, frames=8), 3)


def test_the_place_is_what_the_features_say() -> None:
    assert PLACE.input_shape == (1, 8, 8)
    assert PLACE.length_s == 0.5


def test_parameters_macs_and_memory_are_those_of_the_network_that_is_built() -> None:
    genotype = SPACE.random(np.random.default_rng(0))
    network = build_model(genotype, input_shape=(1, 8, 8), n_classes=3)
    meter = Meter(PLACE)
    assert meter.parameters(genotype) == n_parameters(network)
    assert meter.macs_per_second(genotype) == pytest.approx(meter.macs(genotype) / 0.5)
    weights = sum(t.numel() * t.element_size() for t in (*network.parameters(), *network.buffers()))
    assert meter.memory_mb(genotype) > weights / 2**20


def test_isomorphic_genotypes_are_measured_once() -> None:
    asked: list[str] = []

    def timer(_: torch.nn.Module, __: object, device: str) -> Latency:
        asked.append(device)
        return Latency(1.0, 2.0, 0.5, device, 1)

    meter = Meter(PLACE, timer)
    cell = (("skip_connect", 0), ("sep_conv_3x3", 1), ("skip_connect", 0), ("sep_conv_3x3", 1))
    swapped = (*reversed(cell[:2]), *cell[2:])
    one, other = SPACE.make(cell, cell), SPACE.make(swapped, cell)
    assert one != other
    assert isinstance(one, CnnGenotype)
    assert meter.latency(one) is meter.latency(other)
    assert asked == ["cpu"]


def test_measuring_draws_nothing_from_the_callers_chance() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    meter, genotype = Meter(PLACE), SPACE.random(np.random.default_rng(1))
    for measure in (meter.parameters, meter.macs, meter.memory_mb, meter.latency):
        measure(genotype)
    assert torch.equal(torch.rand(3), expected)
