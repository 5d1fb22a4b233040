"""A setting of a plain system is chosen on whole groups that did not train it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from audionas.training.inner_choice import chosen

GROUPS = np.array([f"g{i // 3}" for i in range(12)], dtype=object)
INPUTS = np.arange(12, dtype=float)[:, None]


def constant(inputs: np.ndarray, targets: np.ndarray, setting: float) -> Callable[[np.ndarray], np.ndarray]:
    names = {GROUPS[int(value)] for value in inputs[:, 0]}

    def predict(others: np.ndarray) -> np.ndarray:
        assert not names & {GROUPS[int(value)] for value in others[:, 0]}
        return np.full((len(others), targets.shape[1]), setting)

    return predict


def closeness(truth: np.ndarray, given: np.ndarray) -> float:
    return -float(np.abs(truth - given).mean())


def test_the_setting_that_predicts_best_is_chosen_and_of_equals_the_first() -> None:
    targets = np.full((12, 1), 5.0)
    assert chosen((4.0, 5.0, 6.0), 0.0, constant, closeness, (INPUTS, targets, GROUPS), 0) == 5.0
    assert chosen((4.0, 6.0), 0.0, constant, closeness, (INPUTS, targets, GROUPS), 0) == 4.0


def test_of_one_group_nothing_can_be_chosen() -> None:
    targets, alone = np.full((12, 1), 5.0), np.array(["g"] * 12, dtype=object)
    assert chosen((5.0,), 7.0, constant, closeness, (INPUTS, targets, alone), 0) == 7.0
