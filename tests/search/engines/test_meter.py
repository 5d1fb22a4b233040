"""What a trial costs is known outside of its process."""

from __future__ import annotations

import os
import time

import pytest

from audionas.search.engines.meter import N_VALUES, Meter, clear, costs_of, note_seconds_of
from audionas.training.ledger import count


def _work(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def test_passes_and_processor_seconds_of_each_trial_are_counted_from_nothing() -> None:
    values = [0.0] * N_VALUES
    meter = Meter(values)
    for passes in (5, 3):
        with meter.trial():
            count(forward=passes, backward=1)
            _work(0.02)
            count(forward=1, compared=4)
        assert costs_of(values, "cpu") == {
            "forward": passes + 1, "backward": 1, "device_seconds": pytest.approx(0.02, abs=0.015),
        }  # fmt: skip
    clear(values)
    assert sum(values) == 0


def test_nothing_outside_a_trial_is_counted() -> None:
    values = [0.0] * N_VALUES
    Meter(values)
    count(forward=5)
    assert sum(values) == 0


def test_the_seconds_of_a_trial_that_hangs_are_asked_of_the_system() -> None:
    values = [0.0] * N_VALUES
    with Meter(values).trial():
        _work(0.1)
        note_seconds_of(values, os.getpid())
        assert costs_of(values, "cpu")["device_seconds"] == pytest.approx(0.1, abs=0.05)  # clock ticks of 0.01 s
    before = list(values)
    note_seconds_of(values, 2**22 + 1)  # no such process
    assert values == before


def test_the_time_for_which_a_gpu_is_held_is_not_counted_twice() -> None:
    assert costs_of([4.0, 2.0, 9.0, 1.0], "cuda:1") == {"forward": 4, "backward": 2}
