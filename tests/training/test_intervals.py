"""Intervals over speakers: against the formula written out, the plain bootstrap, and the binomial interval."""

from __future__ import annotations

import numpy as np
import pytest

from audionas.training.intervals import bootstrap, excludes_zero, group_counts, interval
from audionas.training.metrics import classification_metrics
from audionas.training.predictions import Predictions


def system(right: np.ndarray, truth: np.ndarray, groups: list[str], n_classes: int = 2) -> Predictions:
    """Predictions that are right where `right` is true, else the next class."""
    predicted = np.where(right, truth, (truth + 1) % n_classes)
    labels = tuple(f"class {i}" for i in range(n_classes))
    return Predictions(
        tuple(f"clip {i}" for i in range(len(truth))), tuple(groups), truth, np.eye(n_classes)[predicted], labels
    )


def toy(seed: int = 0, n: int = 60, n_groups: int = 6, n_classes: int = 3) -> Predictions:
    rng = np.random.default_rng(seed)
    truth = np.arange(n) % n_classes
    groups = [f"s{i % n_groups}" for i in range(n)]
    return system(rng.random(n) < 0.7, truth, groups, n_classes)


def test_counts_are_the_confusion_of_each_speaker() -> None:
    found = toy()
    counts = group_counts([found])
    assert counts.groups == ("s0", "s1", "s2", "s3", "s4", "s5")
    whole = classification_metrics(found.truth, found.scores.argmax(axis=1), found.labels)
    assert counts.counts.sum(axis=(0, 1)).tolist() == [list(row) for row in whole.confusion]
    own = [i for i, group in enumerate(found.groups) if group == "s2"]
    part = classification_metrics(found.truth[own], found.scores[own].argmax(axis=1), found.labels)
    assert counts.counts[0, 2].tolist() == [list(row) for row in part.confusion]


def test_a_draw_scores_the_clips_of_the_drawn_speakers_and_averages_seeds() -> None:
    """The same draws, made by listing every clip of every drawn speaker."""
    from audionas.seeding import generator

    seeds = [toy(0), toy(1)]
    draws = bootstrap(group_counts(seeds), n_draws=30)
    times = generator(0, "bootstrap over groups", 6).multinomial(6, np.full(6, 1 / 6), 30)
    for draw in range(30):
        ua, wa = [], []
        for found in seeds:
            rows = [
                i for i, group in enumerate(found.groups) for _ in range(times[draw, int(group[1:])])
            ]  # fmt: skip
            truth, predicted = found.truth[rows], found.scores[rows].argmax(axis=1)
            ua.append(np.mean([np.mean(predicted[truth == c] == c) for c in np.unique(truth)]))
            wa.append(np.mean(predicted == truth))
        assert draws.ua[draw] == pytest.approx(np.mean(ua))
        assert draws.wa[draw] == pytest.approx(np.mean(wa))


def test_with_one_clip_a_speaker_it_is_the_binomial_interval() -> None:
    n, share = 400, 0.75
    right = np.arange(n) < share * n
    found = system(right, np.zeros(n, dtype=np.int64), [f"s{i}" for i in range(n)])
    draws = bootstrap(group_counts([found]))
    low, high = interval(draws.wa, n) or (0.0, 0.0)
    half = 1.96 * np.sqrt(share * (1 - share) / n)
    assert low == pytest.approx(share - half, abs=0.006)
    assert high == pytest.approx(share + half, abs=0.006)
    rng = np.random.default_rng(1)
    plain = right[rng.integers(0, n, (2000, n))].mean(axis=1)
    np.testing.assert_allclose((low, high), np.percentile(plain, [2.5, 97.5]), atol=0.006)


def test_speakers_who_are_all_right_or_all_wrong_widen_it_by_the_root_of_their_clips() -> None:
    """40 speakers of 10 clips each: the interval of 40 clips, not of 400."""
    right = np.repeat(np.arange(40) < 30, 10)
    found = system(right, np.zeros(400, dtype=np.int64), [f"s{i // 10}" for i in range(400)])
    low, high = interval(bootstrap(group_counts([found])).wa, 40) or (0.0, 0.0)
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(0.75 * 0.25 / 40), rel=0.08)


def test_it_covers_the_truth_about_as_often_as_it_says() -> None:
    """30 speakers, clustered outcomes of a known mean: nominal 95 %, a little less with so few."""
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(200):
        ability = rng.beta(7, 3, 30)
        right = rng.random((30, 8)) < ability[:, None]
        found = system(right.ravel(), np.zeros(240, dtype=np.int64), [f"s{i // 8}" for i in range(240)])
        low, high = interval(bootstrap(group_counts([found]), n_draws=400).wa, 30) or (0.0, 0.0)
        hits += low <= 0.7 <= high
    assert 0.88 <= hits / 200 <= 0.98


def test_the_difference_of_a_system_to_itself_is_nothing() -> None:
    one, same = (bootstrap(group_counts([toy()])) for _ in range(2))
    assert interval(one.ua - same.ua, 6) == (0.0, 0.0)


def test_a_paired_difference_is_narrower_than_two_intervals() -> None:
    """Hard speakers are hard for both systems; one clip of each speaker more is right in the second."""
    rng = np.random.default_rng(0)
    truth, groups = np.zeros(200, dtype=np.int64), [f"s{i // 10}" for i in range(200)]
    first = np.repeat(rng.random(20), 10) > np.tile(np.arange(10), 20) / 9
    better = first.copy()
    better[::10] = True
    a, b = (bootstrap(group_counts([system(right, truth, groups)])) for right in (first, better))
    paired = interval(b.wa - a.wa, 20) or (0.0, 0.0)
    alone = interval(a.wa, 20) or (0.0, 0.0)
    assert paired[1] - paired[0] < (alone[1] - alone[0]) / 2


def test_three_speakers_give_no_interval_and_five_no_claim() -> None:
    assert interval(np.array([0.5, 0.5]), 3) is None
    assert interval(np.array([0.5, 0.5]), 4) == (0.5, 0.5)
    assert not excludes_zero(None, 1)
    assert not excludes_zero((0.1, 0.2), 5), "with 5 speakers even 5 of 5 could be chance: 2 / 2**5 > 0.05"
    assert excludes_zero((0.1, 0.2), 6)
    assert not excludes_zero((-0.1, 0.2), 10)
    assert not excludes_zero((-0.2, -0.1), 10), "worse is not better"


def test_a_class_that_no_drawn_speaker_has_counts_neither_as_0_nor_as_1() -> None:
    found = system(np.array([True, True, False, True]), np.array([0, 0, 1, 1]), ["a", "a", "b", "b"])
    draws = bootstrap(group_counts([found]), n_draws=50)
    assert set(np.round(draws.ua, 6)) <= {1.0, 0.75, 0.5}
    assert len(set(np.round(draws.ua, 6))) == 3
