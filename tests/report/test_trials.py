"""Trials as read from their log."""

from __future__ import annotations

from audionas.report.trials import TrialLine, count_statuses, draw_trials, trial_lines


def test_a_trial_without_an_end_is_running_and_the_last_end_counts() -> None:
    events = [
        {"event": "proposed", "number": 0, "hash": "aa"},
        {"event": "finished", "number": 0, "status": "failed", "score": None, "error": "out of memory"},
        {"event": "proposed", "number": 1, "hash": "bb"},
        {"event": "finished", "number": 0, "status": "done", "score": {"ua": 0.5, "parameters": 10}},
    ]
    lines = trial_lines(events)
    assert lines == [TrialLine(0, "aa", "done", ua=0.5, parameters=10), TrialLine(1, "bb", "running")]
    assert count_statuses(lines) == "1 done, 1 running"


def test_no_scatter_without_scores() -> None:
    assert draw_trials([TrialLine(0, "aa", "failed")]) is None
