"""Predictions of several labels and of numbers as a table that people can read, and refuse when damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from audionas.errors import RunError
from audionas.training.predictions import Predictions, read_predictions

SEVERAL = Predictions(
    ("one", "two"), ("s1", "s2"), np.array([[1, 1], [0, 0]], np.float32), np.array([[0.9, 0.25], [0.5, 0.1]]),
    ("dog", "rain"), task="multilabel",
)  # fmt: skip
NUMBERS = Predictions(
    ("one", "two"), ("s1", "s2"), np.array([[3.4], [2]], np.float32), np.array([[3.125], [1e-5]]), ("valence",),
    task="regression",
)  # fmt: skip


def test_several_labels_are_listed_for_people_and_told_one_by_one(tmp_path: Path) -> None:
    SEVERAL.write(tmp_path / "p.csv")
    assert (tmp_path / "p.csv").read_text().splitlines() == [
        "clip,group,label,predicted,part,t:dog,t:rain,p:dog,p:rain",
        "one,s1,dog;rain,dog,test,1,1,0.9,0.25",
        "two,s2,,dog,test,0,0,0.5,0.1",
    ]


def test_numbers_stand_beside_the_truth_with_no_more_digits_than_they_have(tmp_path: Path) -> None:
    NUMBERS.write(tmp_path / "p.csv")
    assert (tmp_path / "p.csv").read_text().splitlines() == [
        "clip,group,part,t:valence,y:valence",
        "one,s1,test,3.4,3.125",
        "two,s2,test,2.0,1e-05",
    ]


@pytest.mark.parametrize(
    ("found", "old", "new", "match"),
    [
        (SEVERAL, "p:rain", "q:rain", r"not a predictions table \(missing: p:rain\)"),
        (SEVERAL, "test,1,1", "test,1,2", r"not a predictions table \(a column t:<label> holds other than 0 and 1\)"),
        (SEVERAL, "two,s2", "one,s2", r"\(clip 'one' stands twice in part test\)"),
        (NUMBERS, "3.125", "nan", r"not a predictions table \(a score is not finite\)"),
        (NUMBERS, "3.125", "high", r"not a predictions table \(a score is no number: "),
        (NUMBERS, "t:valence", "valence", r"not a predictions table \(missing: truth\)"),
        (NUMBERS, "s1,test", "s1,best", r"unknown part 'best' \(did you mean 'test'\?\)"),
    ],
)
def test_a_damaged_table_is_refused(found: Predictions, old: str, new: str, match: str, tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    found.write(path)
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(RunError, match=match):
        read_predictions(path)
