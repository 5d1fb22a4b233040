"""The collapse alarm: DARTS+ counts skip connections, RobustDARTS compares smoothed eigenvalues."""

from __future__ import annotations

from typing import Any

import pytest

from audionas.search.collapse import Collapse


def lines(skips: list[int], eigenvalues: list[float] | None = None) -> list[dict[str, Any]]:
    values = eigenvalues or [0.0] * len(skips)
    return [
        {"epoch": i, "skips": n, "skips_of": 8, "eigenvalue": value}
        for i, (n, value) in enumerate(zip(skips, values, strict=True))
    ]


def test_it_is_off_by_default() -> None:
    assert Collapse().alarm(lines([8, 8, 8], [1, 10, 100])) is None


def test_as_many_skips_as_allowed_ring_and_the_epoch_before_is_taken() -> None:
    assert Collapse(skips=2).alarm(lines([0, 1, 1])) is None
    alarm = Collapse(skips=2).alarm(lines([0, 1, 2]))
    assert alarm is not None
    assert alarm.as_record() == {
        "why": "2 of 8 kept edges of the normal cell are skip connections, 2 or more stop it", "take": 1,
    }  # fmt: skip


def test_in_the_first_epoch_there_is_no_earlier_one_to_take() -> None:
    alarm = Collapse(skips=1).alarm(lines([3]))
    assert alarm is not None
    assert alarm.take == 0


def test_eigenvalues_are_averaged_over_five_epochs_and_compared_with_five_epochs_ago() -> None:
    flat = [1.0] * 9
    # after epoch 9 (from 0): mean of 5..9 is (1+1+1+1+v)/5, mean of 0..4 is 1; v = 2.6 gives 1 / 1.32 = 0.758
    assert Collapse(eigenvalue=0.75).alarm(lines([0] * 10, [*flat, 2.6])) is None
    alarm = Collapse(eigenvalue=0.75).alarm(lines([0] * 10, [*flat, 2.7]))  # 1 / 1.34 = 0.746
    assert alarm is not None
    assert alarm.take == 4
    assert alarm.why.endswith("rose from 1 to 1.34 in 5 epochs, a ratio of 0.75, below 0.75")


@pytest.mark.parametrize("values", [[1.0, 2.0, 4.0, 8.0, 16.0], [1.0] * 5 + [-50.0]])
def test_too_few_epochs_or_a_falling_eigenvalue_ring_nothing(values: list[float]) -> None:
    assert Collapse(eigenvalue=0.75).alarm(lines([0] * len(values), values)) is None
