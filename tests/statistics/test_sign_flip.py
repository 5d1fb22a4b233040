"""The sign-flip test: every swap written out, scipy's permutation test, and simulated speakers."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.stats import permutation_test

from audionas.statistics.scores import WA
from audionas.statistics.sign_flip import sign_flip
from audionas.statistics.system import System
from tests.statistics.systems import predictions, slow, toy, ua


def _swapped(first: System, second: System, flips: tuple[bool, ...]) -> tuple[System, System]:
    """Both systems after the groups of `flips` have changed places in every seed."""
    is_swapped = np.array(flips)[first.group_of_clip][:, None]
    pairs = list(zip(first.seeds, second.seeds, strict=True))
    mine = tuple(replace(a, scores=np.where(is_swapped, b.scores, a.scores)) for a, b in pairs)
    yours = tuple(replace(b, scores=np.where(is_swapped, a.scores, b.scores)) for a, b in pairs)
    return replace(first, seeds=mine), replace(second, seeds=yours)


def test_p_is_the_share_of_swaps_that_are_as_far_apart() -> None:
    first, second = toy(1, skill=0.5), toy(2, skill=0.3)
    found = []
    for flips in product([False, True], repeat=6):
        a, b = _swapped(first, second, flips)
        found.append(ua(a) - ua(b))
    result = sign_flip(first, second)
    assert result.difference == pytest.approx(ua(first) - ua(second), abs=1e-12)
    assert result.p == pytest.approx(np.mean(np.abs(found) >= abs(found[0]) - 1e-12), abs=1e-12)
    assert (result.n_flips, result.is_exact, result.smallest_p) == (64, True, 2 / 64)


def _shares(shares: list[int], n_clips: int = 20) -> System:
    """A system that is right on so many of each group's clips, all of one class: WA is linear in the groups."""
    groups = [f"s{i:02}" for i in range(len(shares)) for _ in range(n_clips)]
    predicted = [0 if clip < share else 1 for share in shares for clip in range(n_clips)]
    return System("shares", (predictions([0] * len(groups), groups, predicted, 2),), WA)


def test_of_a_linear_score_it_is_scipys_permutation_test_of_paired_samples() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.integers(8, 20, 10), rng.integers(5, 18, 10)
    other = permutation_test(
        (first / 20, second / 20),
        lambda x, y: np.mean(x - y),
        permutation_type="samples",
        vectorized=False,
        n_resamples=np.inf,
        alternative="two-sided",
    )
    found = sign_flip(_shares(first.tolist()), _shares(second.tolist()))
    assert found.difference == pytest.approx(other.statistic, abs=1e-9)
    assert found.p == pytest.approx(other.pvalue, abs=1e-9)


def test_a_system_that_is_better_for_every_speaker_has_the_smallest_p() -> None:
    found = sign_flip(_shares([15] * 8), _shares([10] * 8))
    assert found.p == found.smallest_p == 2 / 2**8


def test_equal_systems_have_p_one() -> None:
    assert sign_flip(toy(), toy()).p == 1


def test_a_group_changes_places_with_all_its_clips() -> None:
    """100 clips of 6 speakers, one of whom decides: no p below that of six swaps."""
    result = sign_flip(_shares([20, 10, 10, 10, 10, 10]), _shares([0, 10, 10, 10, 10, 10]))
    assert result.p == 1, "whoever has the one speaker is ahead by the same amount"


def test_all_combinations_up_to_sixteen_groups_and_drawn_ones_above() -> None:
    assert sign_flip(_shares([12] * 16), _shares([10] * 16)).n_flips == 2**16
    found = sign_flip(_shares([12] * 17), _shares([10] * 17))
    assert (found.n_flips, found.is_exact, found.smallest_p) == (9_999, False, 1e-4)
    assert found.p <= 2e-4, "the observed combination counts, so p is never 0"
    assert found.p >= 1e-4
    assert found == sign_flip(_shares([12] * 17), _shares([10] * 17)), "keyed: the same flips again"


def test_drawn_combinations_come_near_scipys_exact_p() -> None:
    rng = np.random.default_rng(3)
    first, second = rng.integers(5, 20, 18), rng.integers(4, 19, 18)
    exact = permutation_test(
        (first / 20, second / 20),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        n_resamples=np.inf,
        batch=4096,
    )
    found = sign_flip(_shares(first.tolist()), _shares(second.tolist()))
    error = np.sqrt(exact.pvalue * (1 - exact.pvalue) / 9_999)
    assert exact.pvalue > 0.01, "else the case tests little"
    assert found.p == pytest.approx(exact.pvalue, abs=4 * error)


@pytest.mark.parametrize("n_groups", [5, 17], ids=["exact", "drawn"])
def test_a_score_without_the_fast_path_has_the_same_p(n_groups: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audionas.statistics.sign_flip.N_FLIPS", 200)
    first, second = toy(1, n_groups=n_groups, n_seeds=2), toy(2, n_groups=n_groups, n_seeds=2, skill=0.2)
    fast, plain = sign_flip(first, second), sign_flip(slow(first), slow(second))
    assert fast.p == plain.p
    assert fast.difference == pytest.approx(plain.difference, abs=1e-12)


@pytest.mark.slow
def test_ten_simulated_speakers_tell_equal_systems_apart_at_most_6_times_in_100() -> None:
    from benchmarks.simulate_statistics import equal_systems, found_share

    rate = found_share(10, 500, equal_systems)  # 2,000 in benchmarks/results/statistics.json
    assert 0.02 <= rate <= 0.06, "a rate near 0 would mean that the test never finds anything"
