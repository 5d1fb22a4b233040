"""Derivation within limits from a supernet: equal to trying every genotype, and always within them."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

from audionas.features import LogMel
from audionas.models import build_model, build_supernet, n_parameters
from audionas.models.latency import Latency
from audionas.models.macs import n_macs
from audionas.models.meter import Meter, Place
from audionas.search import limits_derivation as module
from audionas.search.limits import LimitCheck, Limits
from audionas.search.limits_derivation import LimitedDerivation
from audionas.search.limits_smallest import smallest_within
from audionas.spaces import CnnCellSpace, CnnGenotype
from audionas.spaces.darts_recurrent import DartsRecurrentSpace

SPACE = CnnCellSpace(
    nodes=2, edges_per_node=1, ops=("none", "skip_connect", "sep_conv_3x3", "dil_conv_3x3"),
    macro={"n_cells": 2, "channels": 2, "reduction_at": ["1/2"]},
)  # fmt: skip
PLACE = Place(LogMel(sample_rate_hz=8000, length_s=0.5, n_mels=8, frames=8), 3)
SHAPE = (1, 8, 8)
METER = Meter(PLACE)  # counts only, so it can be shared


def supernet_of(seed: int) -> Any:
    """A supernet whose alphas prefer large operations, so that limits bind."""
    torch.manual_seed(seed)
    supernet = build_supernet(SPACE, SHAPE, 3)
    for alphas in supernet.arch_parameters():
        alphas.data = torch.randn_like(alphas) + torch.tensor([0.0, -1.0, 2.0, 1.0])
    return supernet


def value(supernet: Any, genotype: CnnGenotype) -> float:
    """The sum of the softmax weights of the kept operations."""
    found = 0.0
    for kind in ("normal", "reduce"):
        weights = torch.softmax(supernet.alphas(kind).detach().double(), dim=-1)
        for node, (op, source) in enumerate(getattr(genotype, kind), start=2):
            found += float(weights[SPACE.edges.index((node, source)), SPACE.ops.index(op)])
    return found


def every_genotype() -> list[CnnGenotype]:
    ops = SPACE.real_ops
    cells = [((a, i), (b, j)) for a in ops for i in (0, 1) for b in ops for j in (0, 1, 2)]
    return [SPACE.make(normal, reduce) for normal in cells for reduce in cells]


def built(genotype: CnnGenotype) -> Any:
    return build_model(genotype, input_shape=SHAPE, n_classes=3)


@pytest.mark.parametrize("seed", [0, 1])
def test_halfway_to_the_smallest_network_the_result_is_within_and_the_unlimited_one_is_not(seed: int) -> None:
    supernet = supernet_of(seed)
    free = n_parameters(built(supernet.genotype()))
    least = n_parameters(built(smallest_within(Limits(max_parameters=10**9), SPACE, METER)))
    limit = (free + least) // 2
    found = LimitedDerivation(LimitCheck(Limits(max_parameters=limit), METER))(supernet)
    assert least <= n_parameters(built(found)) <= limit < free
    SPACE.check(found)


def test_under_two_limits_no_genotype_that_is_within_them_has_a_higher_value() -> None:
    supernet = supernet_of(2)
    free = supernet.genotype()
    sizes = (n_parameters(built(free)), n_macs(built(free), SHAPE))
    limits = Limits(int(0.9 * sizes[0]), 0.85 * sizes[1] / 0.5)
    derive = LimitedDerivation(LimitCheck(limits, METER))
    found = derive(supernet)
    costs = derive._edge_costs(SPACE)  # their sums are tested in tests/models/test_edge_costs.py
    within = [
        genotype
        for genotype in every_genotype()
        if costs.parameters.total(SPACE, genotype) <= limits.max_parameters
        and costs.macs.total(SPACE, genotype) / 0.5 <= limits.max_macs_per_second
    ]
    assert 0 < len(within) < len(every_genotype())
    assert value(supernet, found) == pytest.approx(max(value(supernet, genotype) for genotype in within), abs=1e-12)
    assert value(supernet, found) < value(supernet, free)
    network = built(found)
    assert n_parameters(network) <= limits.max_parameters
    assert n_macs(network, SHAPE) / 0.5 <= limits.max_macs_per_second


def test_limits_that_do_not_bind_leave_the_rule_of_darts_alone() -> None:
    derive = LimitedDerivation(LimitCheck(Limits(10**9, 1e15, 1e9, 1e9), Meter(PLACE, timed(lambda _: 1.0))))
    for seed in range(3):
        supernet = supernet_of(seed)
        assert derive(supernet) == supernet.genotype()


def timed(milliseconds: Any) -> Any:
    """A timer that asks `milliseconds` with the network."""
    return lambda network, *_: Latency(milliseconds(network), 0.0, 0.5, "cpu", 1)


def test_a_limit_on_latency_takes_the_first_of_the_list_that_is_fast_enough() -> None:
    supernet, asked = supernet_of(3), []

    def milliseconds(network: Any) -> float:
        asked.append(n_parameters(network))
        return 9.0 if len(asked) < 5 else 1.0  # the fifth network is fast

    found = LimitedDerivation(LimitCheck(Limits(max_latency_ms=2), Meter(PLACE, timed(milliseconds))))(supernet)
    ranked = sorted(every_genotype(), key=lambda genotype: -value(supernet, genotype))
    distinct = list({genotype.hash: genotype for genotype in reversed(ranked[:40])}.values())[::-1]
    distinct.sort(key=lambda genotype: -value(supernet, genotype))
    assert found.hash == distinct[4].hash


def test_when_the_list_is_too_long_macs_are_lowered_until_it_is_fast_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_MEASURED", 3)
    supernet = supernet_of(4)
    least = smallest_within(Limits(max_macs_per_second=1e12), SPACE, METER)
    bound = n_macs(built(supernet.genotype()), SHAPE) * 0.3 + n_macs(built(least), SHAPE) * 0.7
    timer = timed(lambda network: n_macs(network, SHAPE) / bound)  # ms, so that the limit is 1
    found = LimitedDerivation(LimitCheck(Limits(max_latency_ms=1.0), Meter(PLACE, timer)))(supernet)
    assert n_macs(built(found), SHAPE) <= bound
    assert n_macs(built(found), SHAPE) > n_macs(built(least), SHAPE), "not simply the smallest one"


def test_at_the_limit_of_the_smallest_network_nothing_else_is_left() -> None:
    smallest = smallest_within(Limits(max_memory_mb=1e9), SPACE, METER)
    limits = Limits(max_parameters=METER.parameters(smallest), max_memory_mb=METER.memory_mb(smallest))
    found = LimitedDerivation(LimitCheck(limits, METER))(supernet_of(5))
    assert METER.parameters(found) == METER.parameters(smallest)
    assert METER.memory_mb(found) <= METER.memory_mb(smallest)


def test_the_log_tells_what_would_have_been_derived_without_limits() -> None:
    supernet = supernet_of(6)
    told = LimitedDerivation(LimitCheck(Limits(max_parameters=1), METER)).unlimited(supernet)["unlimited"]
    assert told["parameters"] == n_parameters(built(supernet.genotype()))
    assert told["genotype"]["normal"] == [list(edge) for edge in supernet.genotype().normal]


def test_weights_of_edges_multiply_those_of_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    supernet = supernet_of(7)
    assert np.allclose(module.op_weights(supernet, "normal").sum(axis=1), 1.0)
    monkeypatch.setattr(type(supernet), "edge_weights", lambda *_: torch.tensor([0.2, 0.8, 0.1, 0.3, 0.6]))
    assert np.allclose(module.op_weights(supernet, "normal").sum(axis=1), [0.2, 0.8, 0.1, 0.3, 0.6])


RECURRENT = DartsRecurrentSpace(
    nodes={"max": 4}, ops=("linear", "elementwise_sum", "activation_tanh"),
    macro={"hidden": 4, "n_layers": 1, "bidirectional": False, "pooling": "mean"},
)  # fmt: skip
FRAMES = Place(LogMel(sample_rate_hz=8000, length_s=0.2, n_mels=4, pool=2), 3)


@pytest.mark.parametrize("listed", [64, 1])
def test_a_recurrent_result_is_within_a_limit_that_the_unlimited_one_exceeds(
    monkeypatch: pytest.MonkeyPatch, listed: int
) -> None:
    monkeypatch.setattr(module, "MAX_MEASURED", listed)
    torch.manual_seed(0)
    supernet, meter = build_supernet(RECURRENT, FRAMES.input_shape, 3), Meter(FRAMES)
    for label, options in RECURRENT.choices().items():
        supernet.alphas(label).data += torch.tensor([0.3 if option == "linear" else 0.0 for option in options])
    free = meter.parameters(supernet.genotype())
    least = meter.parameters(smallest_within(Limits(max_parameters=10**9), RECURRENT, meter))
    limit = (free + least) // 2
    assert least < limit < free
    found = LimitedDerivation(LimitCheck(Limits(max_parameters=limit), meter))(supernet)
    RECURRENT.check(found)
    network = build_model(found, input_shape=FRAMES.input_shape, n_classes=3)
    assert least <= n_parameters(network) <= limit
    if listed == 1:  # then options were changed one by one, and the first change that suffices was the last
        assert n_parameters(network) > least


def test_a_recurrent_result_is_the_best_assignment_that_is_within() -> None:
    torch.manual_seed(1)
    space = DartsRecurrentSpace(nodes={"max": 3}, ops=("linear", "activation_tanh"), macro=RECURRENT.macro.model_dump())
    supernet, meter = build_supernet(space, FRAMES.input_shape, 3), Meter(FRAMES)
    for label, options in space.choices().items():
        supernet.alphas(label).data = torch.randn(len(options)) + torch.tensor([2.0 * (o == "linear") for o in options])
    limit = meter.parameters(supernet.genotype()) - 1
    within = {}
    for options in product(*space.choices().values()):
        sample = dict(zip(space.choices(), options, strict=True))
        genotype = space.genotype(sample)
        if meter.parameters(genotype) <= limit:
            weights = [torch.softmax(supernet.alphas(label).detach().double(), 0) for label in sample]
            own = [w[space.choices()[label].index(o)] for w, (label, o) in zip(weights, sample.items(), strict=True)]
            within[genotype.hash] = max(within.get(genotype.hash, 0.0), float(sum(own)))
    found = LimitedDerivation(LimitCheck(Limits(max_parameters=limit), meter))(supernet)
    assert within[found.hash] == pytest.approx(max(within.values()))
