"""Yang et al.'s relative improvement over random architectures."""

from __future__ import annotations

import pytest

from audionas.errors import RunError
from audionas.statistics.relative_improvement import relative_improvement


def test_it_is_in_per_cent_of_random() -> None:
    assert relative_improvement(0.84, 0.80) == pytest.approx(5)
    assert relative_improvement(0.60, 0.80) == pytest.approx(-25)


def test_random_architectures_without_a_score_are_refused() -> None:
    with pytest.raises(RunError, match="relative improvement: random architectures score 0, must be above 0"):
        relative_improvement(0.5, 0.0)
