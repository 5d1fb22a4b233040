"""Intervals over groups: the jackknife and the bootstrap written out, scipy's bootstrap, and simulated speakers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap, norm, t

from audionas.seeding import generator
from audionas.statistics.intervals import Estimate, difference_estimate, score_estimate
from audionas.statistics.scores import UA, WA
from audionas.statistics.system import System
from audionas.statistics.weighted import weighted_scores
from tests.statistics.systems import predictions, slow, toy, ua


def _without(system: System, group: str) -> np.ndarray:
    return np.array([i for i, each in enumerate(system.seeds[0].groups) if each != group])


def test_the_jackknife_leaves_out_one_group_at_a_time() -> None:
    system = toy(n_groups=7)
    left = np.array([ua(system, _without(system, group)) for group in system.groups])
    error = np.sqrt(6 / 7 * np.sum((left - left.mean()) ** 2))
    value = ua(system)
    found = score_estimate(system)
    assert found.value == pytest.approx(value, abs=1e-12)
    expected = (value - t.ppf(0.975, 6) * error, value + t.ppf(0.975, 6) * error)
    np.testing.assert_allclose(found.interval, expected, rtol=0, atol=1e-9)


def test_the_jackknife_of_a_difference_leaves_the_group_out_of_both() -> None:
    first, second = toy(1, skill=0.6), toy(2, skill=0.3)
    left = np.array([ua(first, _without(first, g)) - ua(second, _without(second, g)) for g in first.groups])
    error = np.sqrt(5 / 6 * np.sum((left - left.mean()) ** 2))
    found = difference_estimate(first, second)
    value = ua(first) - ua(second)
    expected = (value - t.ppf(0.975, 5) * error, value + t.ppf(0.975, 5) * error)
    np.testing.assert_allclose(found.interval, expected, rtol=0, atol=1e-9)


def test_of_groups_of_equal_size_and_one_class_it_is_the_t_interval_of_their_means() -> None:
    """WA is then the mean of the groups' own, and the jackknife the textbook interval of a mean."""
    shares = [3, 5, 8, 6, 9, 4, 7, 5]
    groups = [f"s{i}" for i in range(8) for _ in range(10)]
    predicted = [0 if clip < share else 1 for share in shares for clip in range(10)]
    found = score_estimate(System("means", (predictions([0] * 80, groups, predicted, 2),), WA))
    means = np.array(shares) / 10
    half = t.ppf(0.975, 7) * means.std(ddof=1) / np.sqrt(8)
    np.testing.assert_allclose(found.interval, (means.mean() - half, means.mean() + half), rtol=0, atol=1e-9)


def test_from_thirty_groups_on_groups_are_drawn_with_all_their_clips() -> None:
    system = toy(n_groups=30, n_seeds=2)
    members = [np.flatnonzero(system.group_of_clip == group) for group in range(30)]
    times = generator(0, "bootstrap over groups", 30).multinomial(30, np.full(30, 1 / 30), 2000)
    draws = [
        ua(system, np.concatenate([np.tile(own, n) for own, n in zip(members, each, strict=True)]))
        for each in times[:400]
    ]
    np.testing.assert_allclose(weighted_scores(system, times[:400]), draws, rtol=0, atol=1e-9)
    all_draws = weighted_scores(system, times)
    tail = 100 * norm.cdf(-np.sqrt(30 / 29) * 2.045229642)  # t of a table, 97.5 %, 29 degrees of freedom
    assert tail == pytest.approx(1.876, abs=0.001), "further out than 2.5"
    np.testing.assert_allclose(
        score_estimate(system).interval, np.percentile(all_draws, [tail, 100 - tail]), rtol=0, atol=1e-9
    )
    assert "bootstrap over 30 groups, 2,000 draws" in score_estimate(system).how
    assert "jackknife over 29 groups" in score_estimate(toy(n_groups=29)).how


def test_the_bootstrap_agrees_with_scipys_of_group_means() -> None:
    rng = np.random.default_rng(0)
    shares = rng.integers(2, 10, 60)
    groups = [f"s{i:02}" for i in range(60) for _ in range(10)]
    predicted = [0 if clip < share else 1 for share in shares for clip in range(10)]
    found = score_estimate(System("means", (predictions([0] * 600, groups, predicted, 2),), WA))
    level = 1 - 2 * norm.cdf(-np.sqrt(60 / 59) * t.ppf(0.975, 59))
    other = bootstrap(
        (shares / 10,), np.mean, confidence_level=level, n_resamples=20_000, method="percentile",
        rng=np.random.default_rng(1),
    )  # fmt: skip
    np.testing.assert_allclose(found.interval, other.confidence_interval, atol=0.004)


@pytest.mark.parametrize("n_groups", [6, 30], ids=["jackknife", "bootstrap"])
def test_a_score_without_the_fast_path_has_the_same_intervals(n_groups: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audionas.statistics.intervals.N_DRAWS", 100)
    first, second = toy(1, n_groups=n_groups, n_seeds=1), toy(2, n_groups=n_groups, n_seeds=1)
    for fast, plain in (
        (score_estimate(first), score_estimate(slow(first))),
        (difference_estimate(first, second), difference_estimate(slow(first), slow(second))),
    ):
        assert fast.value == pytest.approx(plain.value, abs=1e-12)
        np.testing.assert_allclose(fast.interval, plain.interval, rtol=0, atol=1e-12)


def test_an_interval_stays_within_the_bounds_of_the_score() -> None:
    groups = [f"s{i}" for i in range(6) for _ in range(4)]
    predicted = [0] * 20 + [0, 1, 1, 1]
    found = score_estimate(System("nearly all", (predictions([0] * 24, groups, predicted, 2),), UA))
    low, high = found.interval or (0.0, 0.0)
    assert high == 1
    assert low < 0.875 - 3 / 24


def test_the_difference_of_a_system_to_itself_is_nothing() -> None:
    assert difference_estimate(toy(), toy()) == Estimate(0.0, (0.0, 0.0), 6)


def test_a_paired_difference_is_narrower_than_two_intervals() -> None:
    """Hard speakers are hard for both systems; one clip of each speaker more is right in the second."""
    rng = np.random.default_rng(0)
    groups = [f"s{i:02}" for i in range(20) for _ in range(10)]
    right = np.repeat(rng.random(20), 10) > np.tile(np.arange(10), 20) / 9
    better = right.copy()
    better[::10] = True
    a, b = (System("x", (predictions([0] * 200, groups, (~each).astype(int).tolist(), 2),)) for each in (right, better))
    paired, alone = difference_estimate(b, a).interval or (0.0, 0.0), score_estimate(a).interval or (0.0, 0.0)
    assert paired[1] - paired[0] < (alone[1] - alone[0]) / 2


def test_three_groups_have_no_interval() -> None:
    found = score_estimate(toy(n_groups=3))
    assert found.interval is None
    assert found.how == "no interval from 3 groups: it takes 4"
    assert score_estimate(toy(n_groups=4)).interval is not None


@pytest.mark.slow
def test_intervals_of_ten_simulated_speakers_hold_the_truth_92_to_98_times_in_100() -> None:
    from benchmarks.simulate_statistics import coverage

    found = coverage(10, 300)  # more in benchmarks/results/statistics.json
    assert 0.92 <= found["of_score"] <= 0.98
    assert 0.92 <= found["of_difference"] <= 0.98
