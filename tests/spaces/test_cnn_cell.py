"""The CNN cell space: its size, its samples, what it refuses."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audionas.errors import GenotypeError, SettingsError
from audionas.spaces import CnnCellSpace, load_search_space, space_from_settings

SMALL = CnnCellSpace(nodes=2, ops=("none", "skip_connect", "max_pool_3x3"))
samples = st.builds(
    lambda space, picks: {
        label: options[pick % len(options)]
        for (label, options), pick in zip(space.choices().items(), picks, strict=False)
    },
    st.just(load_search_space("darts_cnn")),
    st.lists(st.integers(0, 10**6), min_size=24, max_size=24),
)


def test_darts_cnn_is_the_space_of_emotionnas() -> None:
    # Sun et al. 2022 (FACTS 1.1): N = 4 nodes, 8 operations, L = 3 cells, C = 6 channels, 14 edges
    space = load_search_space("darts_cnn")
    assert (space.nodes, space.edges_per_node, len(space.edges)) == (4, 2, 14)
    assert set(space.ops) == {
        "none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3",
        "dil_conv_5x5",
    }  # fmt: skip
    assert (space.macro.n_cells, space.macro.channels, space.macro.stem_multiplier) == (3, 6, 3)
    assert space.features == "emotionnas"


@pytest.mark.parametrize("n_cells,cells", [(1, (0,)), (2, (0, 1)), (3, (1, 2)), (4, (1, 2)), (6, (2, 4)), (8, (2, 5))])
def test_cells_at_a_third_and_two_thirds_reduce(n_cells: int, cells: tuple[int, ...]) -> None:
    macro = load_search_space("darts_cnn").macro.model_copy(update={"n_cells": n_cells})
    assert macro.reduction_cells == cells


def test_the_size_is_that_of_the_formula() -> None:
    # DARTS, 7 operations besides none: each node n picks 2 of n inputs and an operation for each
    cell = comb(2, 2) * 7**2 * comb(3, 2) * 7**2 * comb(4, 2) * 7**2 * comb(5, 2) * 7**2
    assert load_search_space("darts_cnn").size() == cell**2 == 1_037_664_180**2
    assert load_search_space("darts_cnn_small").size() == (49 * 3 * 49) ** 2


@pytest.mark.parametrize("nodes,edges_per_node,n", [(1, 2, 16), (2, 1, (2 * 2 * 3 * 2) ** 2), (2, 2, (4 * 3 * 4) ** 2)])
def test_the_size_is_the_number_of_genotypes_enumerated(nodes: int, edges_per_node: int, n: int) -> None:
    space = CnnCellSpace(nodes=nodes, edges_per_node=edges_per_node, ops=("none", "skip_connect", "max_pool_3x3"))
    choices = space.choices()
    found = {space.genotype(dict(zip(choices, picks, strict=True))) for picks in product(*choices.values())}
    assert len(found) == space.size() == n


def test_random_genotypes_are_of_the_space_and_reach_every_option() -> None:
    rng = np.random.default_rng(0)
    seen: dict[str, set[str]] = {label: set() for label in SMALL.choices()}
    for _ in range(200):
        genotype = SMALL.random(rng)
        SMALL.check(genotype)
        for label, option in SMALL.sample(genotype).items():
            seen[label].add(option)
    assert seen == {label: set(options) for label, options in SMALL.choices().items()}


def test_the_seed_fixes_what_is_drawn() -> None:
    first, again, other = (SMALL.random(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == again != other


@given(samples)
def test_a_sample_comes_back_from_its_genotype(sample: dict[str, str]) -> None:
    space = load_search_space("darts_cnn")
    assert space.sample(space.genotype(sample)) == sample


@given(samples, st.randoms())
def test_the_order_of_a_nodes_edges_does_not_change_the_sample(sample: dict[str, str], random) -> None:
    space = load_search_space("darts_cnn")
    genotype = space.genotype(sample)
    pairs = [list(genotype.normal[at : at + 2]) for at in range(0, 8, 2)]
    for pair in pairs:
        random.shuffle(pair)
    assert space.sample(replace(genotype, normal=tuple(edge for pair in pairs for edge in pair))) == sample


SKIP = ("skip_connect", 0), ("max_pool_3x3", 1)


@pytest.mark.parametrize(
    "changes,words",
    [
        ({"normal": SKIP}, "normal cell: 1 nodes of 2 edges, expected 2 of 2"),
        ({"edges_per_node": 1}, "normal cell: 4 nodes of 1 edges, expected 2 of 2"),
        ({"reduce_concat": (3,)}, r"reduce cell: output nodes \[3\], expected \[2, 3\]"),
        ({"reduce": SKIP + (("sep_conv_3x3", 0), SKIP[1])}, "reduce cell: unknown operation 'sep_conv_3x3'"),
        ({"normal": SKIP + (("none", 0), SKIP[1])}, "normal cell: unknown operation 'none'"),
        ({"normal": SKIP + (SKIP[1], SKIP[1])}, "normal cell: node 3 takes the same input twice"),
    ],
)
def test_a_genotype_of_another_space_is_refused(changes: dict[str, object], words: str) -> None:
    genotype = replace(SMALL.make(SKIP + SKIP, SKIP + SKIP), **changes)  # type: ignore[arg-type]
    with pytest.raises(GenotypeError, match=f"not of space 'unnamed': {words}"):
        SMALL.check(genotype)


@pytest.mark.parametrize(
    "changes,words",
    [
        ({"kind": "rnn"}, "unknown kind 'rnn'.*known: baseline, cnn_cell"),
        ({"nodes": 0}, "nodes: got 0, must be at least 1"),
        ({"nodes": "four"}, "nodes: got 'four', must be a whole number"),
        ({"node": 4}, r"unknown key 'node' \(did you mean 'nodes'\?\)"),
        ({"ops": ["none", "sep_conv_9x9"]}, r"unknown operation 'sep_conv_9x9' \(did you mean 'sep_conv_"),
        ({"ops": ["none"]}, "ops: .*at least 2"),
        ({"ops": ["none", "none"]}, "an operation stands twice"),
        ({"macro": {"chanels": 6}}, r"unknown key 'macro.chanels'.*known: causal, channels, n_cells, pooling"),
        ({"macro": {"reduction_at": ["1/0"]}}, "'1/0' must be a fraction from 0 to below 1"),
        ({"macro": {"reduction_at": ["1/1"]}}, "'1/1' must be a fraction"),
        ({"macro": {"reduction_at": "1/3"}}, "must be a list of fractions"),
    ],
)
def test_a_wrong_setting_is_one_line_that_says_what_is_accepted(changes: dict[str, object], words: str) -> None:
    settings = {"kind": "cnn_cell", "nodes": 2, "ops": ["none", "skip_connect"], **changes}
    with pytest.raises(SettingsError, match=f"^mine.yaml: .*{words}") as error:
        space_from_settings(settings, "mine", "mine.yaml")
    assert "\n" not in str(error.value)


def test_several_mistakes_are_told_at_once() -> None:
    with pytest.raises(SettingsError, match=r"'nodes' is missing.*unknown operation 'x'.*unknown key 'y'"):
        space_from_settings({"kind": "cnn_cell", "ops": ["x", "skip_connect"], "y": 1}, "mine", "mine.yaml")


def test_a_space_comes_back_from_its_settings() -> None:
    space = load_search_space("darts_cnn")
    assert space_from_settings(space.to_settings(), "darts_cnn", "here") == space


def test_the_name_is_the_files_and_not_offered_as_a_key() -> None:
    settings = {"kind": "cnn_cell", "nodes": 2, "ops": ["sep_conv_3x3", "none"]}
    with pytest.raises(SettingsError) as caught:
        space_from_settings(settings | {"nam": "mine"}, "mine", "mine.yaml")
    assert "known: edges_per_node, features, kind, macro, nodes, ops" in str(caught.value)
    with pytest.raises(SettingsError, match="the name is that of the file; remove the key"):
        space_from_settings(settings | {"name": "mine"}, "mine", "mine.yaml")
