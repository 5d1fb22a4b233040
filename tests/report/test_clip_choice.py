"""Which clips are listened to: the surest right and wrong ones, the same in every run."""

from __future__ import annotations

import numpy as np

from audionas.report.clip_choice import MOST_CLIPS, choose_clips
from audionas.training.predictions import Predictions


def predictions(truth: object, scores: object, labels: str = "abc", task: str = "classification") -> Predictions:
    values = np.array(scores, dtype=float)
    clips = tuple(f"clip{i}" for i in range(len(values)))
    return Predictions(clips, ("s",) * len(clips), np.array(truth), values, tuple(labels), task=task)  # type: ignore[arg-type]


def test_the_surest_right_and_wrong_clip_of_each_class() -> None:
    found = predictions(
        [0, 0, 0, 1, 1, 2],
        [[0.6, 0.2, 0.2], [0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.1, 0.5, 0.4], [0.7, 0.2, 0.1], [0.4, 0.35, 0.25]],
    )
    chosen = choose_clips(found)
    assert chosen.right == (1, 3)  # 0.9 of a, 0.5 of b; no c is right
    assert chosen.wrong == (2, 4, 5)  # 0.8, 0.7, 0.4


def test_of_equally_sure_ones_the_first_by_name() -> None:
    assert choose_clips(predictions([0, 0], [[0.8, 0.1, 0.1], [0.8, 0.1, 0.1]])).right == (0,)


def test_many_classes_are_cut_to_the_surest_and_free_places_go_to_the_other_kind() -> None:
    n = 12
    right = predictions(range(n), np.eye(n) * 0.5 + np.diag(np.arange(n) / 100), labels="abcdefghijkl")
    assert choose_clips(right).right == tuple(range(n - 1, n - 1 - MOST_CLIPS, -1))
    mixed = predictions([*range(n), *range(n)], np.vstack([np.eye(n), np.roll(np.eye(n), 1, axis=1)]), "abcdefghijkl")
    chosen = choose_clips(mixed)
    assert (len(chosen.right), len(chosen.wrong)) == (4, 4)
    few = predictions([0, 1, 2, 0], [[0.9, 0, 0], [0, 0.8, 0], [0, 0, 0.7], [0, 0.6, 0]])
    assert choose_clips(few).right == (0, 1, 2)
    assert choose_clips(few).wrong == (3,)


def test_of_several_labels_the_whole_set_must_be_right() -> None:
    truth = np.array([[1, 0], [1, 1], [0, 0]], dtype=np.float32)
    found = predictions(truth, [[0.9, 0.4], [0.9, 0.2], [0.1, 0.1]], labels="ab", task="multilabel")
    chosen = choose_clips(found)
    assert chosen.right == (2, 0)  # 0.4 and 0.1 from the threshold
    assert chosen.wrong == (1,)


def test_of_a_regression_the_nearest_and_the_farthest() -> None:
    truth = np.array([[1.0], [2.0], [3.0], [4.0]], dtype=np.float32)
    found = predictions(truth, [[1.0], [2.5], [3.1], [9.0]], labels="v", task="regression")
    chosen = choose_clips(found)
    assert chosen.right == (0, 2)
    assert chosen.wrong == (3, 1)
    assert chosen.right_title == "Nearest to the truth"
