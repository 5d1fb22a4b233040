"""Holm's correction: the steps of the paper written out."""

from __future__ import annotations

import numpy as np
import pytest

from audionas.statistics.holm import holm


def test_it_rejects_what_holms_steps_reject() -> None:
    """Step down: the k-th smallest of n is compared with alpha / (n - k + 1); the first failure ends it."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        found = rng.random(6) ** 3
        for alpha in (0.01, 0.05, 0.2):
            rejected = np.zeros(6, dtype=bool)
            for step, i in enumerate(np.argsort(found)):
                if found[i] > alpha / (6 - step):
                    break
                rejected[i] = True
            assert [p <= alpha for p in holm(found.tolist())] == rejected.tolist()


def test_values_that_can_be_done_by_hand() -> None:
    assert holm([0.01, 0.02, 0.03]) == pytest.approx([0.03, 0.04, 0.04], abs=1e-12)
    assert holm([0.5, 0.001, 0.9]) == pytest.approx([1.0, 0.003, 1.0], abs=1e-12)
    assert holm([0.03]) == [0.03]
    assert holm([]) == []
