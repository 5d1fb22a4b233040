"""Trials as read from their log, and ranked by what decided."""

from __future__ import annotations

import pytest

from audionas.report.trials import (
    TrialLine,
    best_first,
    count_statuses,
    draw_against_text,
    draw_trials,
    failure_reasons,
    fidelity_text,
    has_fidelities,
    trial_lines,
    worth,
)


def test_a_trial_without_an_end_is_running_and_the_last_end_counts() -> None:
    events = [
        {"event": "proposed", "number": 0, "hash": "aa"},
        {"event": "finished", "number": 0, "status": "failed", "score": None, "error": "out of memory"},
        {"event": "proposed", "number": 1, "hash": "bb"},
        {"event": "finished", "number": 0, "status": "done", "score": {"ua": 0.5, "parameters": 900}, "error": None},
    ]
    lines = trial_lines(events)
    assert [(line.number, line.status, line.ua) for line in lines] == [(0, "done", 0.5), (1, "running", None)]
    assert count_statuses(lines) == "1 done, 1 running"


def test_a_trial_tells_its_recipe_and_the_epoch_that_was_scored() -> None:
    score = {"ua": 0.5, "wa": 0.4, "loss": 1.1, "balanced_loss": 1.2, "parameters": 900, "epoch": 3}
    events = [
        {"event": "proposed", "number": 7, "hash": "aa", "sample": {"recipe": "r17"}, "epochs": 20},
        {"event": "finished", "number": 7, "status": "done", "score": score, "seconds": 1.0, "error": None},
    ]
    (line,) = trial_lines(events)
    assert (line.recipe, line.epoch, line.epochs) == ("r17", 3, 20)
    assert [line.value(name) for name in ("ua", "loss", "balanced_loss")] == [0.5, 1.1, 1.2]


@pytest.mark.parametrize(
    "objective, order", [("ua", [2, 0, 1, 3]), ("loss", [1, 0, 2, 3]), ("balanced_loss", [0, 1, 2, 3])]
)
def test_the_objective_ranks_then_fewer_parameters_and_a_failed_trial_is_last(objective: str, order: list[int]) -> None:
    lines = [
        TrialLine(0, "a", "done", ua=0.6, loss=1.1, balanced_loss=1.0, parameters=50),
        TrialLine(1, "b", "done", ua=0.6, loss=0.9, balanced_loss=1.0, parameters=80),
        TrialLine(2, "c", "done", ua=0.7, loss=1.2, balanced_loss=1.3, parameters=90),
        TrialLine(3, "d", "failed"),
    ]
    assert [line.number for line in best_first(lines[::-1], objective)] == order


def test_failures_are_counted_by_the_kind_of_their_error() -> None:
    errors = [
        "NonFiniteLossError: epoch 0: the training loss is nan",
        "DivergedError: epoch 2: the training loss 9 is above 4.16, it diverges",
        "DivergedError: epoch 1: the training loss 5 is above 4.16, it diverges",
        "same cell as trial 1",
        "",
    ]
    lines = [TrialLine(i, "a", "failed", error=error) for i, error in enumerate(errors)]
    reasons = failure_reasons([*lines, TrialLine(9, "b", "done", ua=0.5)])
    assert {reason: [line.number for line in failed] for reason, failed in reasons.items()} == {
        "DivergedError": [1, 2],
        "NonFiniteLossError": [0],
        "not recorded": [4],
        "same cell as a trial that failed": [3],
    }


def test_no_scatter_without_scores() -> None:
    assert draw_trials([TrialLine(0, "aa", "failed")], "loss") is None
    assert draw_against_text([TrialLine(0, "aa", "done", loss=1.0, recipe="r1")], "loss", {"r1": 5.0}) is None


def test_the_picture_names_what_decided_and_circles_the_lowest_loss() -> None:
    lines = [
        TrialLine(i, "a", "done", ua=0.5, loss=loss, parameters=100 + i) for i, loss in enumerate((1.2, 0.9, 30.0))
    ]
    figure = draw_trials(lines, "loss")
    assert figure is not None
    axes = figure.axes[0]
    assert axes.get_ylabel() == "validation loss (nats)"
    assert axes.collections[1].get_offsets().tolist() == [[101.0, 0.9]]  # type: ignore[union-attr]
    assert axes.get_yscale() == "log"  # one loss far above the others


def test_people_count_trials_from_one() -> None:
    line = TrialLine(7, "aa", "failed", error="same cell as trial 2")
    assert (line.number, line.shown, line.shown_error) == (7, 8, "same cell as trial 3")
    assert TrialLine(0, "aa", "failed", error="out of memory").shown_error == "out of memory"


def test_trials_of_less_training_are_read_and_stand_behind_those_of_more_however_good_their_score() -> None:
    shares = {0: (9, 1.0), 1: (3, 1.0), 2: (9, 1 / 3), 3: (9, 1.0)}
    events = []
    for number, (epochs, fraction) in shares.items():
        score = {
            "ua": [0.5, 0.9, 0.8, 0.6][number],
            "loss": 1.0,
            "balanced_loss": 1.0,
            "parameters": 9,
            "costs": {"macs": 7},
        }
        share = {} if fraction == 1 else {"fraction": fraction}
        events.append({"event": "proposed", "number": number, "hash": str(number), "epochs": epochs} | share)
        events.append({"event": "finished", "number": number, "status": "done", "score": score})
    lines = trial_lines(events)
    assert [line.number for line in best_first(lines, "ua")] == [3, 0, 1, 2]
    assert [fidelity_text(line) for line in lines] == [
        "9 epochs",
        "3 epochs",
        "9 epochs on 33 % of the clips",
        "9 epochs",
    ]
    assert worth(lines) == pytest.approx(2 + 2 / 3)
    assert has_fidelities(lines)
    assert not has_fidelities([lines[0], lines[3]])
    assert lines[0].costs == {"macs": 7}
    figure = draw_trials(lines, "ua")
    assert figure
    dots, circle = figure.axes[0].collections
    assert dots.get_facecolor()[:, 3].tolist() == [0.7, 0.25, 0.25, 0.7]
    assert circle.get_offsets().tolist() == [[9.0, 0.6]]
