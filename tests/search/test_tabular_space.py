"""Spaces of tables: every assignment a row, or the nearest row of an incomplete table."""

from __future__ import annotations

import numpy as np
import pytest

from audionas.errors import GenotypeError, SettingsError
from audionas.search.tabular_space import PoolSpace, TableSpace
from audionas.spaces import load_search_space

SPACE = TableSpace({"a": ("0", "1"), "b": ("x", "y", "z")}, "toy")
CELLS = load_search_space("darts_cnn_small")
POOL = [CELLS.random(np.random.default_rng(seed)) for seed in range(30)]


def test_assignments_and_genotypes_are_one_to_one() -> None:
    samples = [{"a": a, "b": b} for a in "01" for b in "xyz"]
    genotypes = [SPACE.genotype(sample) for sample in samples]
    assert SPACE.size() == len({genotype.hash for genotype in genotypes}) == 6
    assert [SPACE.sample(genotype) for genotype in genotypes] == samples
    assert SPACE.random(np.random.default_rng(0)) in genotypes


def test_a_genotype_of_another_table_or_kind_is_refused() -> None:
    other = TableSpace({"a": ("0", "2"), "b": ("x",)}).genotype({"a": "2", "b": "x"})
    for genotype in (other, POOL[0]):
        with pytest.raises(GenotypeError, match="genotype is not of space 'toy': it has other choices or options"):
            SPACE.check(genotype)


def test_each_member_of_a_pool_stands_for_itself_and_what_is_near_for_it() -> None:
    pool = PoolSpace(CELLS, POOL, "mine")
    choices = pool.choices()
    for genotype in POOL:
        sample = pool.sample(genotype)
        assert pool.genotype(sample) == genotype
        other = next(option for option in choices["normal_n0_op0"] if option != sample["normal_n0_op0"])
        changed = {**sample, "normal_n0_op0": other}
        distances = [sum(changed[k] != v for k, v in CELLS.sample(g).items()) for g in POOL]  # type: ignore[arg-type]
        assert pool.genotype(changed) == POOL[int(np.argmin(distances))]
    assert pool.size() == 30
    assert pool.random(np.random.default_rng(0)) in POOL


def test_what_is_not_in_a_pool_is_refused_and_so_is_an_empty_pool() -> None:
    pool = PoolSpace(CELLS, POOL, "mine")
    with pytest.raises(GenotypeError, match="genotype is not of space 'mine': it is none of its 30"):
        pool.check(CELLS.random(np.random.default_rng(99)))
    with pytest.raises(SettingsError, match="a pool needs at least one genotype"):
        PoolSpace(CELLS, [])
