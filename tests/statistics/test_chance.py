"""The permutation test against chance: written out, by counting, and on simulated speakers."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
from scipy.stats import permutation_test

from audionas.statistics.chance import ABOVE, NOT_ABOVE, chance
from audionas.statistics.system import System
from tests.statistics.systems import predictions, slow, toy, ua


def test_within_groups_it_is_the_share_of_all_permutations_by_counting() -> None:
    """Two groups of four clips: 24 x 24 permutations can all be listed."""
    truth = [0, 0, 1, 1, 0, 1, 1, 2]
    predicted = [0, 0, 1, 0, 0, 1, 1, 1]
    system = System("small", (predictions(truth, list("aaaabbbb"), predicted, 3),))
    each = []
    for one, other in product(permutations(truth[:4]), permutations(truth[4:])):
        changed = replace(system.seeds[0], truth=np.array([*one, *other]))
        each.append(ua(replace(system, seeds=(changed,))))
    exact = np.mean(np.array(each) >= ua(system) - 1e-12)
    found = chance(system)
    assert found.p == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 9_999))
    assert 0.05 < exact < 0.5
    assert (found.permutations, found.how) == (9_999, "labels permuted within each of 2 groups")


def test_of_one_group_it_is_scipys_test_of_pairings() -> None:
    rng = np.random.default_rng(5)
    truth = np.array([0] * 12 + [1] * 8)
    predicted = np.where(rng.random(20) < 0.6, truth, 1 - truth)

    def score(labels: np.ndarray) -> float:
        return float(np.mean([np.mean(predicted[labels == c] == c) for c in (0, 1)]))

    other = permutation_test(
        (truth,), score, permutation_type="pairings", vectorized=False, alternative="greater",
        n_resamples=9_999, rng=np.random.default_rng(0),
    )  # fmt: skip
    found = chance(System("one", (predictions(truth.tolist(), ["a"] * 20, predicted.tolist(), 2),)))
    assert 0.02 < other.pvalue < 0.5
    assert found.p == pytest.approx(other.pvalue, abs=0.02)


def test_labels_that_belong_to_speakers_are_exchanged_among_speakers() -> None:
    """6 speakers of one label each, 3 and 3, all recognised: 1 of 6!/(3! 3!) = 20 arrangements."""
    groups = [f"s{i}" for i in range(6) for _ in range(10)]
    truth = [i // 3 for i in range(6) for _ in range(10)]
    found = chance(System("speakers", (predictions(truth, groups, truth, 2),)))
    assert found.p == pytest.approx(1 / 20, abs=0.01), "60 right clips are not 60 samples"
    assert found.how == "labels permuted among 6 groups of one label each"


def test_groups_of_both_kinds_are_permuted_each_in_its_way() -> None:
    truth = [0, 1, 0, 1, 0, 0, 1, 1]
    found = chance(System("both", (predictions(truth, list("aaaabbcc"), truth, 2),)))
    assert found.how == "labels permuted within each of 1 group and among 2 groups of one label each"
    assert found.p == pytest.approx(1 / (6 * 2), abs=0.02)


def test_a_system_that_knows_only_the_speaker_is_not_above_chance() -> None:
    """Speakers have a favourite class, and the system says it: UA 0.8, but nothing within a speaker."""
    groups = [f"s{i}" for i in range(10) for _ in range(10)]
    truth = [i % 2 if clip < 8 else 1 - i % 2 for i in range(10) for clip in range(10)]
    predicted = [i % 2 for i in range(10) for _ in range(10)]
    system = System("favourites", (predictions(truth, groups, predicted, 2),))
    assert ua(system) == pytest.approx(0.8)
    assert chance(system).p == 1


def test_one_class_for_all_is_not_above_chance_though_84_percent_are_right() -> None:
    groups = [f"s{i}" for i in range(10) for _ in range(25)]
    truth = [0 if clip < 21 else 1 for _ in range(10) for clip in range(25)]
    found = chance(System("majority", (predictions(truth, groups, [0] * 250, 2),)))
    assert np.mean(np.array(truth) == 0) == 0.84
    assert (found.p, found.verdict) == (1, NOT_ABOVE)


def test_a_system_that_tells_labels_is_above_chance_and_p_is_never_zero() -> None:
    found = chance(toy(skill=0.8))
    assert (found.p, found.verdict) == (1 / 10_000, ABOVE)


def test_seeds_given_twice_do_not_lower_p() -> None:
    system = toy(skill=0.1)
    assert chance(system).p > 0.01
    assert chance(replace(system, seeds=system.seeds * 2)).p == chance(system).p


def test_a_score_without_the_fast_path_has_the_same_p() -> None:
    system = toy(skill=0.1, n_seeds=2)
    assert chance(system, 100).p == chance(slow(system), 100).p
    assert chance(slow(system), 100).permutations == 100


def test_truth_of_several_columns_is_permuted_row_by_row() -> None:
    """A multi-label task: the generic path alone touches the truth."""
    from audionas.statistics.scores import Score

    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, (60, 3))
    found = toy(n_groups=5).seeds[0]
    both = replace(found, truth=truth, scores=truth + 0.5 * rng.random((60, 3)))
    score = Score("map", lambda truth, scores, _: float(np.mean((scores > 0.75) == truth)))
    assert chance(System("multi-label", (both,), score), 199).p == 1 / 200


@pytest.mark.slow
@pytest.mark.parametrize("case", ["guessing_system", "labels_of_speakers"])
def test_simulated_guessing_is_above_chance_at_most_6_times_in_100(case: str) -> None:
    from benchmarks import simulate_statistics as simulation

    n_groups = 10 if case == "guessing_system" else 12
    rate = simulation.found_share(
        n_groups, 300, getattr(simulation, case)
    )  # more in benchmarks/results/statistics.json
    assert 0.02 <= rate <= 0.06
