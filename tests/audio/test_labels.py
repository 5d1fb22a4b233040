"""What a label cell means under each task: names, numbers, targets, and what folds spread evenly."""

from __future__ import annotations

import numpy as np
import pytest

from audionas.audio.labels import label_names, labels_of, strata_of, target_values, targets_of


def test_a_cell_of_several_labels_is_read_without_order_blanks_and_repeats() -> None:
    assert label_names(" rain;dog; rain ;;") == ("dog", "rain")
    assert label_names("dog, rain", ",") == ("dog", "rain")
    assert label_names("  ") == ()


@pytest.mark.parametrize(("text", "match"), [("nan", "not finite"), ("1;inf", "not finite"), ("loud", "could not")])
def test_a_cell_of_targets_holds_finite_numbers(text: str, match: str) -> None:
    assert target_values("-1.5;2") == (-1.5, 2.0)
    with pytest.raises(ValueError, match=match):
        target_values(text)


def test_targets_are_indices_sets_or_numbers() -> None:
    assert targets_of("classification", ["b", "a", "b"], ("a", "b")).tolist() == [1, 0, 1]
    several = targets_of("multilabel", ["a;c", "", "b"], ("a", "b", "c"))
    assert several.tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 0]]
    numbers = targets_of("regression", ["1.5;2", "0;-3"], ("x", "y"))
    assert numbers.tolist() == [[1.5, 2], [0, -3]]
    assert several.dtype == numbers.dtype == np.float32


def test_labels_are_those_of_the_texts_but_targets_are_named_by_the_user() -> None:
    assert labels_of("classification", ["b;a", "a"], ()) == ("a", "b;a")
    assert labels_of("multilabel", ["b;a", "", "a"], ()) == ("a", "b")
    assert labels_of("regression", ["1;2"], ("y", "x")) == ("y", "x")


def test_a_fifth_of_the_clips_is_in_each_bin_of_a_target() -> None:
    targets = np.random.default_rng(0).permutation(100).astype(np.float32)[:, None] ** 3  # very skewed
    strata = strata_of("regression", targets, 1)
    assert strata.sum(axis=0).tolist() == [20] * 5
    assert strata.sum(axis=1).tolist() == [1] * 100
    lowest = targets[strata[:, 0] == 1]
    assert lowest.max() < targets[strata[:, 0] == 0].min()


def test_of_several_labels_the_clips_are_counted_too() -> None:
    strata = strata_of("multilabel", np.array([[1, 1], [0, 0]], dtype=np.float32), 2)
    assert strata.tolist() == [[1, 1, 1], [0, 0, 1]]
