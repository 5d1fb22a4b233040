"""The space of settings of a hand-made system: its decisions, its genotypes, what it refuses."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from audionas.errors import GenotypeError, SettingsError
from audionas.models.baselines.space_check import check_baseline_space
from audionas.spaces import BaselineGenotype, BaselineSpace, CnnMacro, load_search_space, space_from_settings
from audionas.spaces.cnn_genotype import CnnGenotype

SETTINGS: dict[str, Any] = {
    "kind": "baseline",
    "features": "log_mel_small",
    "baseline": "attention_pooling_cnn",
    "settings": {"pool_after": []},
    "options": {"channels": [[4], [8, 16]], "reduce": ["sum", "mean"], "filters": ["2x2", "3x1+1x3"]},
}


def space(**changes: Any) -> BaselineSpace:
    found = space_from_settings({**SETTINGS, **changes}, "tiny", "tiny.yaml")
    assert isinstance(found, BaselineSpace)
    return found


def test_every_decision_is_text_and_the_size_is_the_product_of_the_options() -> None:
    assert space().choices() == {
        "channels": ("4", "8,16"), "reduce": ("sum", "mean"), "filters": ("2x2", "3x1+1x3"),
    }  # fmt: skip
    assert space().size() == 8
    numbers = space(options={"a": [0.5, 2, True, None]})
    assert numbers.choices() == {"a": ("0.5", "2", "true", "none")}


def test_a_genotype_has_what_is_fixed_and_what_was_chosen() -> None:
    found = space().genotype({"channels": "8,16", "reduce": "mean", "filters": "2x2"})
    chosen = {"channels": (8, 16), "reduce": "mean", "filters": "2x2", "pool_after": ()}
    assert found == BaselineGenotype.of("attention_pooling_cnn", chosen)


def test_sample_and_genotype_are_inverse_and_the_settings_give_the_space_back() -> None:
    tiny = space()
    for seed in range(20):
        genotype = tiny.random(np.random.default_rng(seed))
        tiny.check(genotype)
        assert tiny.genotype(tiny.sample(genotype)) == genotype
    assert space_from_settings(tiny.to_settings(), "tiny", "again") == tiny


@pytest.mark.parametrize(("genotype", "words"), [
    (BaselineGenotype.of("plain_cnn", {}), "tiny': it is not the hand-made system 'attention_pooling_cnn'"),
    (
        BaselineGenotype.of("attention_pooling_cnn", {"channels": [5], "reduce": "sum", "filters": "2x2"}),
        "channels: 5 is none of 4, 8,16",
    ),
    (
        BaselineGenotype.of("attention_pooling_cnn", {"channels": [4], "reduce": "sum", "filters": "2x2"}),
        "other settings than channels, reduce, filters differ",
    ),
    (
        CnnGenotype((("skip_connect", 0),), (2,), (("skip_connect", 0),), (2,), 1, CnnMacro(), ""),
        "it is not the hand-made system",
    ),
])  # fmt: skip
def test_genotypes_of_elsewhere_are_refused(genotype: Any, words: str) -> None:
    with pytest.raises(GenotypeError, match=re.escape(words)):
        space().check(genotype)


@pytest.mark.parametrize(("changes", "words"), [
    ({"options": {}}, "options"),
    ({"options": {"reduce": []}}, "options.reduce"),
    ({"options": {"reduce": ["sum", "sum"]}}, "reduce: an option stands twice"),
    ({"settings": {"reduce": "sum"}}, "settings.reduce: stands in options.reduce too, which decides; remove one"),
    ({"baseline": ""}, "baseline"),
    ({"option": {}}, "unknown key 'option' (did you mean 'options'?)"),
])  # fmt: skip
def test_settings_of_no_space_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(words)):
        space(**changes)


@pytest.mark.parametrize(("changes", "words"), [
    ({"baseline": "attention_cnn"}, "unknown baseline 'attention_cnn' (did you mean 'attention_pooling_cnn'?)"),
    (
        {"options": {"channels": [[4], [5]], "filters": ["2x2", "3x1+1x3"]}},
        "tiny.yaml: channels: the first, 5, must be a multiple of the 2 filters",
    ),
    (
        {"options": {"width": [1]}, "settings": {"pooling": "max"}},
        "pooling: got 'max', must be 'attention', 'gap' or 'bilinear'",
    ),
    ({"options": {"width": [1, 2]}}, "unknown key 'width'"),
])  # fmt: skip
def test_what_the_system_does_not_accept_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(words)):
        check_baseline_space(space(**changes), "tiny.yaml")


def test_the_filter_shapes_are_those_of_the_paper_s_two_scans() -> None:
    shipped = load_search_space("filter_shapes")
    assert isinstance(shipped, BaselineSpace)
    check_baseline_space(shipped, "filter_shapes")
    shapes = [tuple(map(int, option.split("x"))) for option in shipped.choices()["filters"]]
    assert shipped.size() == len(shapes) == 30
    assert {height for height, width in shapes if width == 2} >= {2, 10, 100}
    assert {width for height, width in shapes if height == 2} >= {2, 8, 80}
    assert all(2 in shape for shape in shapes)
    assert max(height for height, _ in shapes) == 100
    assert max(width for _, width in shapes) == 80
