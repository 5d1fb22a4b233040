"""Assignments in the order of their sums, against sorting all of them."""

from __future__ import annotations

from itertools import product

import numpy as np

from audionas.spaces.best_assignments import assignments_best_first


def test_every_assignment_comes_once_and_the_highest_sum_first() -> None:
    rng = np.random.default_rng(0)
    weights = {
        label: {f"{label}{k}": float(rng.random()) for k in range(n)} for label, n in (("a", 3), ("b", 4), ("c", 2))
    }
    found = list(assignments_best_first(weights))
    assert len(found) == 24
    assert {tuple(sample.values()) for sample in found} == set(product(*weights.values()))
    sums = [sum(weights[label][option] for label, option in sample.items()) for sample in found]
    assert np.allclose(sums, sorted(sums, reverse=True))


def test_of_equal_options_the_first_comes_first() -> None:
    weights = {"a": {"x": 1.0, "y": 1.0}, "b": {"u": 0.0, "v": 0.0}}
    assert next(assignments_best_first(weights)) == {"a": "x", "b": "u"}
