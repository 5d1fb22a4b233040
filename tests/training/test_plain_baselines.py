"""The three plain systems: what they predict, that nothing of a test part is fitted, what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import StratifiedGroupKFold

from audionas.errors import ManifestError
from audionas.training.plain_baselines import (
    DURATION,
    LOGISTIC,
    MAJORITY,
    REGULARISATIONS,
    BaselineResult,
    choose_regularisation,
    plain_baselines,
    summarise,
)


def _corpus(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """Six speakers x 10 clips, two classes told apart by the first summary column and by duration."""
    rng = np.random.default_rng(seed)
    targets = np.tile([0, 0, 0, 1, 1, 1, 0, 0, 0, 1], 6)
    groups = [f"s{row // 10}" for row in range(60)]
    summaries = rng.normal(size=(60, 4)) + 6.0 * targets[:, None] * np.array([1, 0, 0, 0])
    durations_s = np.where(targets == 1, 4.0, 1.0) * rng.uniform(0.9, 1.1, 60)
    return summaries, durations_s, targets, groups


def _splits(groups: list[str], *tests: str) -> list[tuple[str, list[int], list[int]]]:
    rows = range(len(groups))
    return [
        (test, [row for row in rows if groups[row] == test], [row for row in rows if groups[row] != test])
        for test in tests
    ]


def _named(results: list[BaselineResult]) -> dict[str, BaselineResult]:
    return {result.name: result for result in results}


def test_summary_is_the_mean_then_the_sd_over_time() -> None:
    feature = np.array([[[1.0, 3.0], [5.0, 5.0]]], dtype=np.float32)
    assert summarise(feature).tolist() == [2.0, 5.0, 1.0, 0.0]


def test_summary_refuses_another_shape() -> None:
    with pytest.raises(ManifestError, match=r"expected \(channels, features, frames\), got \(2, 3\)"):
        summarise(np.zeros((2, 3)))


def test_confusion_is_summed_over_the_test_parts_and_scores_follow_from_it() -> None:
    summaries, durations_s, targets, groups = _corpus()
    results = _named(plain_baselines(summaries, durations_s, targets, groups, _splits(groups, "s0", "s1"), 2, seed=0))
    majority = results[MAJORITY]
    assert majority.confusion == ((12, 0), (8, 0))
    assert majority.recalls == (1.0, 0.0)
    assert (majority.ua, majority.wa) == (0.5, 0.6)
    assert results[DURATION].ua == 1.0
    assert results[LOGISTIC].ua > 0.9


def test_a_class_without_test_clips_has_no_recall_and_does_not_count() -> None:
    summaries, durations_s, targets, groups = _corpus()
    test = [row for row in range(10) if targets[row] == 0]
    split = [("0", test, list(range(10, 60)))]
    for result in plain_baselines(summaries, durations_s, targets, groups, split, 3, seed=0):
        assert result.recalls[1:] == (None, None)
        assert result.ua == result.recalls[0]
        assert sum(map(sum, result.confusion)) == len(test)


def test_wild_test_clips_change_nothing_for_the_others() -> None:
    """Were the scaler fitted on test rows too, clips 1e6 away would flatten all the others."""
    summaries, durations_s, targets, groups = _corpus()
    calm = plain_baselines(summaries, durations_s, targets, groups, [("0", range(5), range(10, 60))], 2, 0)
    summaries[5:10] = 1e6
    durations_s[5:10] = 1e6
    wild = plain_baselines(summaries, durations_s, targets, groups, [("0", range(10), range(10, 60))], 2, 0)
    only = plain_baselines(summaries, durations_s, targets, groups, [("0", range(5, 10), range(10, 60))], 2, 0)
    for first, both, second in zip(calm, wild, only, strict=True):
        assert np.array_equal(np.add(first.confusion, second.confusion), both.confusion)


def test_the_labels_of_the_test_part_are_not_read() -> None:
    summaries, durations_s, targets, groups = _corpus()
    splits = _splits(groups, "s0")
    before = plain_baselines(summaries, durations_s, targets, groups, splits, 2, 0)
    flipped = targets.copy()
    flipped[:10] = 1 - flipped[:10]
    after = plain_baselines(summaries, durations_s, flipped, groups, splits, 2, 0)
    for one, other in zip(before, after, strict=True):
        assert np.sum(one.confusion, axis=0).tolist() == np.sum(other.confusion, axis=0).tolist()


def test_c_is_chosen_on_whole_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    summaries, _, targets, groups = _corpus()
    names = np.asarray(groups, dtype=object)
    folds = []

    class Spy(StratifiedGroupKFold):  # type: ignore[misc]
        def split(self, *inputs: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
            folds.extend(super().split(*inputs))
            return folds

    monkeypatch.setattr("audionas.training.plain_baselines.StratifiedGroupKFold", Spy)
    assert choose_regularisation(summaries, targets, names, 0) in REGULARISATIONS
    assert len(folds) == 5
    for train, test in folds:
        assert not set(names[train]) & set(names[test])


def test_c_is_1_where_one_group_leaves_nothing_to_validate_on() -> None:
    summaries, _, targets, _ = _corpus()
    assert choose_regularisation(summaries, targets, np.full(60, "s0", dtype=object), 0) == 1.0


def test_training_clips_of_one_class_give_a_constant() -> None:
    summaries, durations_s, targets, groups = _corpus()
    train = [row for row in range(10, 60) if targets[row] == 1]
    for result in plain_baselines(summaries, durations_s, targets, groups, [("0", range(10), train)], 2, 0):
        assert result.recalls == (0.0, 1.0)


def test_a_shared_group_is_refused() -> None:
    summaries, durations_s, targets, groups = _corpus()
    with pytest.raises(ManifestError, match="split '1' has group 's0' in test and training"):
        plain_baselines(summaries, durations_s, targets, groups, [("1", range(5), range(5, 60))], 2, 0)


def test_an_empty_part_is_refused() -> None:
    summaries, durations_s, targets, groups = _corpus()
    with pytest.raises(ManifestError, match="split '1' has 0 test and 60 training clips"):
        plain_baselines(summaries, durations_s, targets, groups, [("1", [], range(60))], 2, 0)


def test_inputs_of_unequal_length_are_refused() -> None:
    summaries, durations_s, targets, groups = _corpus()
    with pytest.raises(ManifestError, match="60 summaries, 59 durations"):
        plain_baselines(summaries, durations_s[1:], targets, groups, _splits(groups, "s0"), 2, 0)
