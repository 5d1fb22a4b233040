"""Scores of each group are those of its own clips, averaged over seeds; the worst one is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from audionas.experiment.group_scores import group_records, group_scores, worst_group_line
from audionas.training.predictions import Predictions
from audionas.training.tasks import TASKS

TASK = TASKS["classification"]
LABELS = ("high", "low")


def predictions(groups: list[str], truth: list[int], predicted: list[int]) -> Predictions:
    scores = np.eye(2)[predicted] * 0.8 + 0.1
    clips = tuple(f"c{i}" for i in range(len(groups)))
    return Predictions(clips, tuple(groups), np.array(truth), scores, LABELS)


def test_a_groups_ua_is_the_balanced_accuracy_of_its_own_clips_averaged_over_seeds() -> None:
    rng = np.random.default_rng(0)
    groups, truth = ["a", "b", "c"] * 20, rng.integers(0, 2, 60)
    seeds = [rng.integers(0, 2, 60) for _ in range(3)]
    found = group_records([predictions(groups, truth.tolist(), seed.tolist()) for seed in seeds], TASK)
    for record in found["per_group"]:
        own = np.array(groups) == record["group"]
        each = [balanced_accuracy_score(truth[own], seed[own]) for seed in seeds]
        assert record["ua"] == pytest.approx(np.mean(each))
        assert record["ua_sd"] == pytest.approx(np.std(each, ddof=1))
        assert record["wa"] == pytest.approx(np.mean([np.mean(truth[own] == seed[own]) for seed in seeds]))
        assert record["n_clips"] == 20
    lowest = min(found["per_group"], key=lambda record: record["ua"])
    assert found["worst_group"]["group"] == lowest["group"]
    assert found["worst_group"]["n_groups"] == 3


def test_a_group_with_few_clips_is_marked_and_is_not_the_worst_while_there_are_larger_ones() -> None:
    groups = ["big"] * 12 + ["tiny"] * 2
    found = group_records([predictions(groups, [0, 1] * 7, [0, 1] * 5 + [1, 1] + [1, 0])], TASK)
    big, tiny = found["per_group"]
    assert (big["is_small"], tiny["is_small"]) == (False, True)
    assert tiny["ua"] == 0 < big["ua"] == pytest.approx((5 / 6 + 1) / 2)
    assert found["worst_group"]["group"] == "big"
    assert "1 group with fewer left out" in found["worst_group"]["what"]
    line = worst_group_line(found)
    assert line == "worst group: big, UA 0.917 (12 clips; lowest of 1 group)"


def test_where_all_groups_are_small_the_lowest_is_the_worst_and_says_so() -> None:
    found = group_records([predictions(["a", "a", "b", "b"], [0, 1, 0, 1], [0, 1, 0, 0])], TASK)
    assert found["worst_group"]["group"] == "b"
    assert "all are smaller" in found["worst_group"]["what"]


def test_a_class_that_a_group_does_not_have_is_named_and_does_not_count() -> None:
    record = group_records([predictions(["a", "a"], [1, 1], [1, 1])], TASK)["per_group"][0]
    assert record["absent_classes"] == ["high"]
    assert record["ua"] == 1.0
    assert record["ua_sd"] is None


def test_without_known_groups_there_is_nothing_to_tell(tmp_path: Path) -> None:
    found = group_scores(tmp_path, ["1"], [0], TASK, is_checked=False)
    assert found == {"per_group": [], "worst_group": None}
    assert worst_group_line(found) is None


def test_the_splits_of_a_run_are_joined(tmp_path: Path) -> None:
    for split, group in (("1", "a"), ("2", "b")):
        predictions([group] * 2, [0, 1], [0, 1]).write(tmp_path / f"split_{split}" / "seed_0" / "predictions.csv")
    found = group_scores(tmp_path, ["1", "2"], [0], TASK, is_checked=True)
    assert [record["group"] for record in found["per_group"]] == ["a", "b"]


def test_the_worst_group_is_the_one_with_the_lowest_main_score_of_the_task() -> None:
    truth = np.arange(20.0)[:, None]
    given = np.concatenate([truth[:10], truth[10:][::-1]])  # of the second group, the wrong way round
    clips, groups = tuple(map(str, range(20))), ("a",) * 10 + ("b",) * 10
    found = group_records([Predictions(clips, groups, truth, given, ("x",), task="regression")], TASKS["regression"])
    assert [record["ccc"] for record in found["per_group"]] == pytest.approx([1.0, -1.0])
    assert found["worst_group"]["group"] == "b"
    assert worst_group_line(found) == "worst group: b, CCC -1.000 (10 clips; lowest of 2 groups)"
