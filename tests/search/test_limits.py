"""Hard limits: what is refused, in which words, and what is not even measured."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from audionas.errors import SettingsError
from audionas.features import LogMel
from audionas.models.latency import Latency
from audionas.models.meter import Meter, Place
from audionas.report.limit_rows import limit_rows
from audionas.search.limits import FLAGS, LimitCheck, Limits
from audionas.spaces import CnnCellSpace

SPACE = CnnCellSpace(nodes=1, ops=("skip_connect", "sep_conv_3x3"), macro={"n_cells": 1, "channels": 2})
GENOTYPE = SPACE.random(np.random.default_rng(0))
PLACE = Place(LogMel(sample_rate_hz=8000, length_s=0.5, n_mels=8, frames=8), 2)


def meter_of(**known: float) -> Meter:
    """A meter on which the genotype costs what is given; anything else must not be asked."""

    def timer(*_: Any) -> Latency:
        return Latency(known["latency"], 9e9, 0.5, "cpu", 1)

    meter = Meter(PLACE, timer)
    for name, value in known.items():
        meter._found[name, GENOTYPE.hash] = value
    return meter


@pytest.mark.parametrize(
    "limits,known,refusal",
    [
        (Limits(max_parameters=100_000), {"parameters": 123_456}, "parameters 123,456 > 100,000"),
        (Limits(max_macs_per_second=1e6), {"macs": 600_000}, "MACs per second 1,200,000 > 1,000,000"),
        (Limits(max_memory_mb=2), {"memory": 3.456}, "memory 3.46 MB > 2 MB"),
        (Limits(max_latency_ms=10), {"latency": 12.34}, "latency 12.3 ms > 10 ms"),
    ],
)
def test_what_is_over_a_limit_is_refused_with_both_numbers(
    limits: Limits, known: dict[str, float], refusal: str
) -> None:
    assert limits.refusal(GENOTYPE, meter_of(**known)) == refusal
    assert LimitCheck(limits, meter_of(**known)).refusal(GENOTYPE) == refusal


def test_a_network_that_is_exactly_at_each_limit_is_accepted() -> None:
    limits = Limits(100, 1200.0, 10.0, 2.0)
    meter = meter_of(parameters=100, macs=600, latency=10.0, memory=2.0)
    assert limits.refusal(GENOTYPE, meter) is None


def test_the_median_is_limited_and_not_the_95th_percentile() -> None:
    assert meter_of(latency=1.0).latency(GENOTYPE).p95_ms == 9e9
    assert Limits(max_latency_ms=10).refusal(GENOTYPE, meter_of(latency=1.0)) is None


def test_nothing_is_timed_when_a_count_refuses_already() -> None:
    def timer(*_: Any) -> Latency:
        raise AssertionError("timed")

    for known in (
        {"parameters": 11.0},
        {"parameters": 1.0, "macs": 10.0},
        {"parameters": 1.0, "macs": 1.0, "memory": 9.0},
    ):
        meter = dataclasses.replace(meter_of(**known), timer=timer)
        assert Limits(10, 10.0, 1.0, 1.0).refusal(GENOTYPE, meter)


@pytest.mark.parametrize("name", list(FLAGS))
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_a_limit_that_is_not_above_zero_is_refused_by_its_flag(name: str, value: float) -> None:
    with pytest.raises(SettingsError, match=rf"^{FLAGS[name]}: got .*, must be above 0; leave it out for no limit$"):
        Limits(**{name: value})


def test_limits_come_back_from_their_record() -> None:
    limits = Limits(max_parameters=5, max_memory_mb=0.5)
    assert limits.as_record() == {"max_parameters": 5, "max_memory_mb": 0.5}
    assert Limits.of_record(limits.as_record()) == limits
    assert not Limits.of_record(None)
    assert limits
    assert str(limits) == "at most 5 parameters, 0.5 MB memory"
    assert str(Limits()) == "none"


def test_the_latency_stands_in_the_record_only_where_it_is_limited() -> None:
    known = {"parameters": 100, "macs": 600, "memory": 2.0, "latency": 4.0}
    found = LimitCheck(Limits(max_parameters=100), meter_of(**known)).costs(GENOTYPE)
    assert found == {"parameters": 100, "macs": 600, "macs_per_second": 1200.0, "memory_mb": 2.0}
    found = LimitCheck(Limits(max_latency_ms=100), meter_of(**known)).costs(GENOTYPE)
    assert found["latency"]["median_ms"] == 4.0


@pytest.mark.parametrize(
    "record,why",
    [
        ({"max_parameters": "1500"}, "max_parameters: got '1500', must be a whole number"),
        ({"max_parameters": True}, "max_parameters: got True, must be a whole number"),
        ({"max_latency_ms": -1}, "max_latency_ms: got -1, must be above 0"),
        ({"max_params": 1500}, r"unknown key 'max_params' \(did you mean 'max_parameters'\?\); known: max_latency_ms"),
        ({"max_memory_mb": [1]}, "max_memory_mb: got .*, must be a number"),
        ([1500], "must be a mapping"),
        ("1500", "must be a mapping"),
    ],
)
def test_limits_that_were_edited_in_a_run_are_one_line(record: object, why: str) -> None:
    with pytest.raises(SettingsError, match=f"^runs/a/run.json: limits: .*{why}"):
        Limits.of_record(record, "runs/a/run.json")
    with pytest.raises(SettingsError, match=f"^run.json: limits: .*{why}"):
        limit_rows({"limits": record})
