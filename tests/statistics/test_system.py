"""A system is every seed over all test clips; nothing smaller is taken for a sample."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from audionas.errors import RunError
from audionas.statistics.intervals import score_estimate
from audionas.statistics.scores import WA
from audionas.statistics.sign_flip import sign_flip
from audionas.statistics.system import System, paired
from audionas.training.metrics import classification_metrics
from audionas.training.predictions import Predictions, joined
from tests.statistics.systems import predictions, toy


def test_clips_stand_in_the_order_of_their_names_whatever_the_order_of_folds() -> None:
    found = toy().seeds[0]
    back = list(range(len(found.clips)))[::-1]
    turned = replace(
        found,
        clips=found.clips[::-1],
        groups=found.groups[::-1],
        truth=found.truth[back],
        scores=found.scores[back],
    )
    system = System("turned", (found, turned))
    assert system.seeds[1].clips == found.clips
    np.testing.assert_array_equal(system.seeds[1].scores, found.scores)


def test_counts_are_the_confusion_of_each_group_and_seed() -> None:
    system = toy()
    found = system.seeds[1]
    own = [i for i, group in enumerate(found.groups) if group == "s02"]
    part = classification_metrics(found.truth[own], found.scores[own].argmax(axis=1), found.labels)
    assert system.counts[system.groups.index("s02"), 1].tolist() == [list(row) for row in part.confusion]


def _folds(n_seeds: int = 3) -> list[list[Predictions]]:
    """10 speakers in 5 folds, 8 clips each: (seeds, folds)."""
    rng = np.random.default_rng(0)
    cells = []
    for _ in range(n_seeds):
        row = []
        for fold in range(5):
            groups = [f"s{2 * fold + i // 8}" for i in range(16)]
            truth = [i % 2 for i in range(16)]
            found = predictions(truth, groups, [int(t) for t in (rng.random(16) < 0.5)], 2)
            row.append(replace(found, clips=tuple(f"{fold}/{clip}" for clip in found.clips)))
        cells.append(row)
    return cells


def test_three_seeds_of_five_folds_are_ten_speakers_and_not_fifteen_samples() -> None:
    cells = _folds()
    system = System("network", tuple(joined(row, "test") for row in cells))
    found = score_estimate(system)
    assert found.n_groups == 10
    assert "jackknife over 10 groups, Student's t with 9" in found.how
    with pytest.raises(
        RunError, match=r"network: seeds 1 and 2 of 15 are not of the same clips .* a fold is no sample"
    ):
        System("network", tuple(cell for row in cells for cell in row))


def test_seeds_given_twice_do_not_narrow_an_interval_or_lower_a_p() -> None:
    system, other = toy(1, skill=0.5), toy(2, skill=0.3)
    twice, other_twice = (replace(each, seeds=each.seeds * 2) for each in (system, other))
    np.testing.assert_allclose(score_estimate(twice).interval, score_estimate(system).interval, atol=1e-12)
    assert sign_flip(twice, other_twice).p == sign_flip(system, other).p


def test_a_clip_that_two_folds_test_is_refused() -> None:
    found = toy().seeds[0]
    with pytest.raises(RunError, match="net: clip 'clip 0000' is tested twice in one seed; give each clip one test"):
        System("net", (joined([found, found], "test"),))


def test_no_predictions_are_refused() -> None:
    with pytest.raises(RunError, match="net: no predictions"):
        System("net", ())


def test_systems_of_other_clips_groups_truth_or_labels_are_not_compared() -> None:
    system = toy()
    found = system.seeds[0]
    changes = {
        "71 and 72 clips; only one has 'clip 0000'": replace(
            found, clips=found.clips[1:], groups=found.groups[1:], truth=found.truth[1:], scores=found.scores[1:]
        ),
        "clip 'clip 0000' is of group 'x' and 's00'": replace(found, groups=("x", *found.groups[1:])),
        "the truth of clip 'clip 0001' differs": replace(found, truth=np.array([
            found.truth[0], (found.truth[1] + 1) % 3, *found.truth[2:]
        ])),
        "labels a, b, c and class 0, class 1, class 2": replace(found, labels=("a", "b", "c")),
    }  # fmt: skip
    for why, changed in changes.items():
        with pytest.raises(
            RunError, match=rf"other and toy 0: not of the same clips \({why}\); compare runs of the same"
        ):
            paired(System("other", (changed,)), system)


def test_systems_scored_differently_are_not_compared() -> None:
    with pytest.raises(RunError, match="toy 0 and toy 1: scored by ua and wa; score both alike"):
        paired(toy(0), toy(1, score=WA))


def test_other_numbers_of_seeds_are_refused_but_a_system_without_seeds_is_repeated() -> None:
    network, one = toy(0), toy(1, n_seeds=1)
    with pytest.raises(RunError, match="toy 1 and toy 0: 1 and 3 seeds; retrain both with the same number of seeds"):
        paired(one, network)
    baseline = replace(one, is_deterministic=True)
    for first, second in (paired(baseline, network), paired(network, baseline)):
        assert len(first.seeds) == len(second.seeds) == 3
    repeated = paired(baseline, network)[0]
    assert all(found.scores is not None and (found.scores == one.seeds[0].scores).all() for found in repeated.seeds)
