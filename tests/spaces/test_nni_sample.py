"""Samples of NNI: there and back for genotypes of every kind of space, and every fault of a sample named."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audionas.errors import GenotypeError
from audionas.shipped import names
from audionas.spaces import RecurrentGenotype, load_search_space
from audionas.spaces.nni_sample import from_nni_sample, to_nni_sample

SPACES = names("search_spaces")


@pytest.mark.parametrize("name", SPACES)
@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_genotype_comes_back_from_its_sample(name: str, seed: int) -> None:
    """Up to isomorphism, and with the macro values of the space."""
    space = load_search_space(name)
    genotype = space.random(np.random.default_rng(seed))
    sample = json.loads(json.dumps(to_nni_sample(genotype, space)))
    back = from_nni_sample(sample, space)
    if isinstance(genotype, RecurrentGenotype):
        assert isinstance(back, RecurrentGenotype)
        assert back.recipe_hash == genotype.recipe_hash
    assert back.hash == genotype.hash
    assert to_nni_sample(back, space) == sample


def test_labels_and_options_are_those_that_nni_sees() -> None:
    space = load_search_space("darts_cnn_small")
    sample = to_nni_sample(space.random(np.random.default_rng(0)), space)
    assert list(sample) == list(space.choices())
    assert sample["normal_n0_in"] == "0+1"


def test_every_fault_of_a_sample_is_told() -> None:
    space = load_search_space("darts_cnn_small")
    sample = to_nni_sample(space.random(np.random.default_rng(0)), space)
    wrong = {**sample, "normal_n0_op0": "sep_conv_9x9", "normal_n9_in": "0+1"}
    del wrong["reduce_n0_in"]
    with pytest.raises(GenotypeError) as found:
        from_nni_sample(wrong, space, "s.json")
    text = str(found.value)
    assert text.startswith("s.json: not a sample of space 'darts_cnn_small': ")
    assert "unknown decision 'normal_n9_in'" in text
    assert "no option for reduce_n0_in" in text
    assert "normal_n0_op0: got 'sep_conv_9x9'; accepted: max_pool_3x3" in text


def test_what_is_no_object_is_refused() -> None:
    with pytest.raises(GenotypeError, match="expected an object of label: option, got list"):
        from_nni_sample([], load_search_space("darts_cnn_small"))


def test_a_sample_of_another_space_is_told_in_a_line_that_can_be_read() -> None:
    other = load_search_space("nas_bench_nlp_rnn")
    sample = to_nni_sample(other.random(np.random.default_rng(0)), other)
    with pytest.raises(GenotypeError) as found:
        from_nni_sample(sample, load_search_space("darts_rnn"))
    assert "it has no decisions n0_op, n0_a, n0_b, n0_c and " in str(found.value)
    assert "more options are wrong" in str(found.value)
    assert len(str(found.value)) < 600
