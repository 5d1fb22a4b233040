"""MACs are counted once for equal networks and anew for any other."""

from __future__ import annotations

import numpy as np
import pytest

from audionas.experiment import known_macs as module
from audionas.experiment.known_macs import known_macs
from audionas.models import build_model
from audionas.models.macs import n_macs
from audionas.spaces import CnnCellSpace


def test_equal_networks_are_counted_once_and_others_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    space = CnnCellSpace(nodes=1, ops=("skip_connect", "sep_conv_3x3"), macro={"n_cells": 1, "channels": 2})
    first, second = (
        space.make((("skip_connect", 0),) * 2, (("skip_connect", 0),) * 2),
        space.random(np.random.default_rng(3)),
    )
    counted = []

    def counting(network: object, shape: object) -> int:
        counted.append(shape)
        return n_macs(network, shape)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "n_macs", counting)
    monkeypatch.setattr(module, "_KNOWN", {})
    for genotype in (first, second, first):
        for shape in ((1, 8, 8), (1, 8, 16)):
            for n_outputs in (2, 4):
                network = build_model(genotype, input_shape=shape, n_classes=n_outputs)
                assert known_macs(genotype, network, shape, n_outputs) == n_macs(network, shape)
    assert len(counted) == 2 * 2 * 2
