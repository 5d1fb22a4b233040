"""The smallest network of a space, against every network of it that is built; and the words when limits are too low."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import numpy as np
import pytest

from audionas.errors import SettingsError
from audionas.features import LogMel
from audionas.models import build_model, n_parameters
from audionas.models.latency import Latency
from audionas.models.meter import Meter, Place
from audionas.search.limits import LimitCheck, Limits
from audionas.search.limits_smallest import most_macs, smallest_within, within_limits
from audionas.spaces import CnnCellSpace, RecurrentCatalogueSpace, RecurrentCellSpace, SearchSpace
from audionas.spaces.reference_recipes import reference_recipe

SPACE = CnnCellSpace(name="two", nodes=1, ops=("none", "sep_conv_3x3", "skip_connect", "dil_conv_3x3"),
                     macro={"n_cells": 2, "channels": 2, "reduction_at": ["1/2"]})  # fmt: skip
PLACE = Place(LogMel(sample_rate_hz=8000, length_s=0.5, n_mels=8, frames=8), 3)
FRAMES = Place(LogMel(sample_rate_hz=8000, length_s=0.2, n_mels=4, pool=2), 3)
RECURRENT = RecurrentCellSpace(
    name="recurrent", states=1, nodes={"max": 2, "linear_inputs": [2]}, ops=("linear", "activation_tanh"),
    macro={"hidden": 4, "n_layers": 1, "pooling": "mean"},
)  # fmt: skip
CATALOGUE = RecurrentCatalogueSpace(
    name="listed", catalogue={name: reference_recipe(name).to_recipe() for name in ("lstm", "gru", "rnn")},
    macro={"hidden": 4, "n_layers": 1, "pooling": "mean"},
)  # fmt: skip


def every_size(space: SearchSpace, place: Place) -> list[int]:
    """The parameters of every network of a space, built from every sample."""
    choices = space.choices()
    genotypes = (space.genotype(dict(zip(choices, options, strict=True))) for options in product(*choices.values()))
    distinct = {str(genotype): genotype for genotype in genotypes}
    return [
        n_parameters(build_model(genotype, input_shape=place.input_shape, n_classes=place.n_outputs))
        for genotype in distinct.values()
    ]


@pytest.mark.parametrize("space,place", [(SPACE, PLACE), (RECURRENT, FRAMES), (CATALOGUE, FRAMES)])
def test_the_smallest_network_is_the_smallest_of_all_that_are_built(space: SearchSpace, place: Place) -> None:
    least = min(every_size(space, place))
    meter = Meter(place)
    assert meter.parameters(smallest_within(Limits(max_parameters=least), space, meter)) == least
    words = (
        f"--max-parameters {least - 1:,}: no network of space '{space.name}' is that small; the smallest has {least:,} "
    )
    with pytest.raises(
        SettingsError,
        match=rf"^{re.escape(words)}parameters \(1x\dx\d+ input, 0\.\d+ s of audio\); "
        rf"raise the limit to at least {least}, or take a space of smaller networks \(fewer channels",
    ):
        smallest_within(Limits(max_parameters=least - 1), space, meter)


def test_the_fewest_macs_are_told_too() -> None:
    meter = Meter(PLACE)
    least = meter.macs_per_second(smallest_within(Limits(max_macs_per_second=1e12), SPACE, meter))
    with pytest.raises(
        SettingsError, match=r"^--max-macs-per-second .* the smallest has [\d,]+ MACs per second of audio"
    ):
        smallest_within(Limits(max_macs_per_second=0.5 * least), SPACE, meter)


@pytest.mark.parametrize("name", ["max_parameters", "max_macs_per_second", "max_memory_mb"])
def test_the_limit_that_a_refusal_asks_for_is_enough(name: str) -> None:
    meter = Meter(PLACE)
    with pytest.raises(SettingsError, match="raise the limit to at least ") as error:
        smallest_within(Limits(**{name: 1e-6}), SPACE, meter)
    told = re.search(r"at least ([\d.]+),", str(error.value))
    assert told
    assert Limits(**{name: float(told[1])}).refusal(smallest_within(Limits(**{name: float(told[1])}), SPACE, meter),
                                                    meter) is None  # fmt: skip
    with pytest.raises(SettingsError, match="is that small"):
        smallest_within(Limits(**{name: 0.99 * float(told[1])}), SPACE, meter)


def test_limits_that_exclude_each_other_are_told_together() -> None:
    def timer(network: Any, *_: Any) -> Latency:  # the larger, the faster
        return Latency(1e6 / n_parameters(network), 0.0, 0.5, "cpu", 1)

    meter = Meter(PLACE, timer)
    genotypes = [smallest_within(Limits(max_parameters=10**9), SPACE, meter)]
    small = meter.parameters(genotypes[0])
    with pytest.raises(
        SettingsError, match=r"--max-parameters .* and --max-latency-ms .*: each can be met, but not all"
    ):
        smallest_within(Limits(max_parameters=small, max_latency_ms=1e6 / small * 0.95), SPACE, meter)


def test_a_latency_that_nothing_reaches_names_the_least_that_was_measured() -> None:
    meter = Meter(PLACE, lambda *_: Latency(7.5, 9.0, 0.5, "cpu", 1))
    with pytest.raises(
        SettingsError, match=r"^--max-latency-ms 3: .* the smallest has a latency of 7\.5 ms \(median\)"
    ):
        smallest_within(Limits(max_latency_ms=3), SPACE, meter)
    assert smallest_within(Limits(max_latency_ms=7.5), SPACE, meter)


def test_a_memory_that_nothing_reaches_names_the_least_that_was_counted() -> None:
    meter = Meter(PLACE)
    with pytest.raises(SettingsError, match=r"^--max-memory-mb 1e-05: .* MB memory of inference"):
        smallest_within(Limits(max_memory_mb=1e-5), SPACE, meter)


@pytest.mark.parametrize("macs_per_second,length_s", [(1e6, 0.3), (3.3e7, 4.152), (0.1, 0.7), (7.0, 1.0)])
def test_the_ceiling_on_macs_is_the_last_number_within_the_limit(macs_per_second: float, length_s: float) -> None:
    most = most_macs(macs_per_second, length_s)
    assert most / length_s <= macs_per_second < (most + 1) / length_s


def test_a_quick_answer_is_the_answer_of_the_network_that_is_built() -> None:
    meter = Meter(PLACE)
    genotypes = [SPACE.random(np.random.default_rng(seed)) for seed in range(12)]
    limits = Limits(sorted(meter.parameters(genotype) for genotype in genotypes)[6], 1e12)
    is_within = within_limits(LimitCheck(limits, meter), SPACE)
    answers = [is_within(genotype) for genotype in genotypes]
    assert answers == [limits.refusal(genotype, meter) is None for genotype in genotypes]
    assert set(answers) == {True, False}
    recipe = RECURRENT.random(np.random.default_rng(0))
    at = Meter(FRAMES).parameters(recipe)
    assert [within_limits(LimitCheck(Limits(n), Meter(FRAMES)), RECURRENT)(recipe) for n in (at, at - 1)] == [
        True,
        False,
    ]
