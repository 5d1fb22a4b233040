"""Random architectures: uniform, all different, as large as the searched one."""

from __future__ import annotations

from collections import Counter

from scipy.stats import chisquare

from audionas.comparisons.random_architectures import draw_architectures, size_of
from audionas.models import build_model
from audionas.seeding import generator
from audionas.spaces import CnnCellSpace, load_search_space

SHAPE = (1, 32, 64)


def _space() -> CnnCellSpace:
    space = load_search_space("darts_cnn_small")
    assert isinstance(space, CnnCellSpace)
    return space


def test_they_are_within_ten_per_cent_of_the_searched_ones_parameters() -> None:
    space = _space()
    searched = space.random(generator(3, "test"))
    drawn = draw_architectures(space, searched, 8, SHAPE, 4, "1")
    wanted = sum(p.numel() for p in build_model(searched, input_shape=SHAPE, n_classes=4).parameters())
    sizes = [
        sum(p.numel() for p in build_model(genotype, input_shape=SHAPE, n_classes=4).parameters())
        for genotype in drawn.genotypes
    ]
    assert len(sizes) == 8
    assert drawn.tolerance == 0.1
    assert all(0.9 * wanted <= size <= 1.1 * wanted for size in sizes)
    assert len({genotype.hash for genotype in drawn.genotypes} | {searched.hash}) == 9


def test_a_split_gets_the_same_ones_every_time_and_another_split_others() -> None:
    space = _space()
    searched = space.random(generator(3, "test"))
    first, again, other = (draw_architectures(space, searched, 8, SHAPE, 4, split).genotypes for split in "112")
    assert [g.hash for g in first] == [g.hash for g in again]
    assert [g.hash for g in first] != [g.hash for g in other]


def test_operations_are_drawn_uniformly() -> None:
    # all sizes accepted: each operation of each edge equally often (chi-square, 5 % would fail by chance: fixed seed)
    space = _space()
    searched = space.random(generator(0, "test"))
    size = size_of(searched, SHAPE, 4)
    assert size > 0
    rng = generator(7, "test")
    counts = Counter(op for _ in range(400) for op, _ in space.random(rng).normal)
    assert chisquare(list(counts.values())).pvalue > 0.01


def test_where_the_space_is_too_small_the_tolerance_grows_and_is_told() -> None:
    space = CnnCellSpace.model_validate({
        **_space().to_settings(), "name": "tiny", "ops": ["max_pool_3x3", "skip_connect", "sep_conv_3x3"], "nodes": 1,
    })  # fmt: skip
    searched = space.random(generator(1, "test"))
    drawn = draw_architectures(space, searched, 30, SHAPE, 4, "1")
    assert drawn.tolerance > 0.1
