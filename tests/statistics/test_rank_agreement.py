"""Kendall's tau-b and its share of the noise ceiling: against scipy, and against simulated retrainings."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau

from audionas.errors import RunError
from audionas.seeding import generator
from audionas.statistics.rank_agreement import ceiling_ratio, rank_agreement


@pytest.mark.parametrize("decimals", [8, 1], ids=["no ties", "many ties"])
def test_tau_is_scipys_tau_b(decimals: int) -> None:
    rng = np.random.default_rng(0)
    first = rng.random(40).round(decimals)
    second = (0.5 * first + rng.random(40)).round(decimals)
    found = rank_agreement(first.tolist(), second.tolist())
    assert found.tau == pytest.approx(kendalltau(first, second).statistic, abs=1e-12)
    assert found.n == 40


def test_the_interval_is_that_of_genotypes_drawn_with_replacement() -> None:
    rng = np.random.default_rng(1)
    first = rng.random(30)
    second = first + rng.random(30)
    times = generator(0, "bootstrap over genotypes", 30).multinomial(30, np.full(30, 1 / 30), 2000)
    draws = []
    for each in times:
        rows = np.repeat(np.arange(30), each)
        draws.append(kendalltau(first[rows], second[rows]).statistic)
    found = rank_agreement(first.tolist(), second.tolist())
    np.testing.assert_allclose(found.interval, np.percentile(draws, [2.5, 97.5]), atol=1e-12)


def test_equal_and_reversed_rankings_have_tau_one_and_minus_one() -> None:
    scores = [0.1, 0.5, 0.3, 0.9]
    assert rank_agreement(scores, scores).tau == 1
    assert rank_agreement(scores, [-score for score in scores]).tau == -1


def test_a_ranking_of_ties_alone_has_no_tau() -> None:
    found = rank_agreement([0.5, 0.5, 0.5], [0.1, 0.2, 0.3])
    assert (found.tau, found.interval, found.n) == (None, None, 3)
    ratio = ceiling_ratio([0.5] * 4, [0.1, 0.2, 0.3, 0.4], [0.1, 0.2, 0.3, 0.4])
    assert (ratio.supernet.tau, ratio.ratio, ratio.interval) == (None, None, None)


def test_the_ratio_is_the_mean_tau_against_both_seeds_over_the_tau_between_them() -> None:
    rng = np.random.default_rng(2)
    quality = rng.random(50)
    supernet, a, b = (quality + 0.3 * rng.random(50) for _ in range(3))
    found = ceiling_ratio(supernet.tolist(), a.tolist(), b.tolist())
    mine = (kendalltau(supernet, a).statistic + kendalltau(supernet, b).statistic) / 2
    limit = kendalltau(a, b).statistic
    assert found.supernet.tau == pytest.approx(mine, abs=1e-12)
    assert found.ceiling.tau == pytest.approx(limit, abs=1e-12)
    assert found.ratio == pytest.approx(mine / limit, abs=1e-12)
    assert found.interval is not None
    assert found.interval[0] < mine / limit < found.interval[1]


def test_a_supernet_that_is_as_noisy_as_a_retraining_has_a_ratio_of_about_one() -> None:
    rng = np.random.default_rng(3)
    ratios = []
    for _ in range(60):
        quality = rng.normal(size=60)
        scores = [(quality + 0.7 * rng.normal(size=60)).tolist() for _ in range(3)]
        ratios.append(ceiling_ratio(*scores).ratio)
    assert np.mean(np.array(ratios, dtype=float)) == pytest.approx(1, abs=0.03)


def test_a_ceiling_that_is_not_shown_to_be_above_zero_gives_no_interval_of_the_ratio() -> None:
    rng = np.random.default_rng(4)
    noise = [rng.normal(size=30).tolist() for _ in range(3)]
    found = ceiling_ratio(*noise)
    assert found.ceiling.interval is not None
    assert found.ceiling.interval[0] < 0 < found.ceiling.interval[1], "else the case is another"
    assert found.interval is None
    assert ceiling_ratio([1, 2, 3], [1, 2, 3], [3, 2, 1]).ratio is None, "a negative ceiling"


def test_its_record_is_json() -> None:
    record = ceiling_ratio([1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 4, 3]).as_record()
    assert record["supernet"]["n"] == 4
    assert record["ceiling"]["tau"] == pytest.approx(4 / 6), "5 pairs agree, 1 does not"


def test_scores_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(RunError, match="rank agreement: got 2 and 3 scores; give each genotype one score in every"):
        rank_agreement([0.1, 0.2], [0.1, 0.2, 0.3])
    with pytest.raises(RunError, match=r"got 1 and 1 scores; .* at least two genotypes"):
        rank_agreement([0.1], [0.2])
    with pytest.raises(RunError, match="a score of genotype 2 is not finite; leave that genotype out"):
        rank_agreement([0.1, 0.2], [0.1, float("nan")])
