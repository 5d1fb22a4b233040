"""What is said of a ranking depends on its intervals."""

from __future__ import annotations

from typing import Any

import pytest

from audionas.experiment.ranking_words import conclusion, ranking_lines


def _found(supernet: Any, ceiling: Any, ratio: float | None = None) -> dict[str, Any]:
    def agreement(values: Any) -> dict[str, Any]:
        tau, *interval = values
        return {"tau": tau, "interval": interval or None, "n": 30}

    return {"supernet": agreement(supernet), "ceiling": agreement(ceiling), "ratio": ratio, "interval": None}


@pytest.mark.parametrize(
    "found,words",
    [
        (_found((0.4, 0.1, 0.6), (0.8, 0.7, 0.9), 0.5), "chance does (tau 0.40, interval 0.10 to 0.60), at 0.50"),
        (_found((0.1, -0.1, 0.3), (0.8, 0.7, 0.9), 0.125), "not shown to rank genotypes better than chance"),
        (_found((0.4, 0.1, 0.6), (0.2, -0.1, 0.4), 2.0), "nothing follows: two seeds of retraining are not shown"),
        (_found((None,), (0.8, 0.7, 0.9)), "the supernet gives all genotypes the same score"),
        (_found((0.4, 0.1, 0.6), (None,)), "nothing follows: retraining gives all genotypes the same score"),
    ],
)  # fmt: skip
def test_a_conclusion_needs_an_interval_above_zero(found: dict[str, Any], words: str) -> None:
    assert words in conclusion(found)


def test_the_console_shows_taus_intervals_and_what_limits_them() -> None:
    found = _found((0.4, 0.1, 0.6), (0.8, 0.7, 0.9), 0.5) | {"interval": [0.1, 0.8]}
    lines = ranking_lines(found | {"n_genotypes": 28, "n_failed": 2, "conclusion": "c", "warning": "few"})
    assert lines == [
        "supernet: tau 0.40, interval 0.10 to 0.60 against retraining, over 28 genotypes",
        "noise ceiling: tau 0.80, interval 0.70 to 0.90 between two seeds of retraining",
        "share of the ceiling: 0.50, interval 0.10 to 0.80",
        "conclusion: c",
        "2 genotypes left out: a training diverged",
        "note: few",
    ]
