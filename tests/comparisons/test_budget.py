"""Equal budgets: clip-passes of a trial by the formula, and never more trials than they pay for."""

from __future__ import annotations

import pytest

from audionas.comparisons.budget import affordable_trials, one_shot_passes, trial_passes
from audionas.errors import RunError
from audionas.search import load_strategy

PARTS = {"train": tuple(range(30)), "validation": tuple(range(30, 50)), "unused": tuple(range(50, 60))}
RANDOM = load_strategy("random").with_budget(epochs=10, trials=1).with_evaluation(inner_folds=None, retest=0)


def test_a_trial_costs_there_and_back_for_each_epoch_and_one_scoring() -> None:
    assert trial_passes(RANDOM, PARTS) == 10 * 30 * 2 + 20


def test_scoring_every_epoch_costs_as_often() -> None:
    assert trial_passes(RANDOM.replace(score_epoch="best"), PARTS) == 10 * 30 * 2 + 10 * 20


def test_with_inner_folds_each_clip_trains_in_all_but_one() -> None:
    folds = {"1": tuple(range(20)), "2": tuple(range(20, 40)), "3": tuple(range(40, 60))}
    strategy = RANDOM.with_evaluation(inner_folds=3, retest=None)
    assert trial_passes(strategy, folds) == 3 * (10 * 40 * 2) + 60


def test_trials_never_cost_more_than_the_budget() -> None:
    each = 2 * (600 + 20)  # two splits
    assert affordable_trials(RANDOM, 5 * each, [PARTS, PARTS]) == 5
    assert affordable_trials(RANDOM, 5 * each - 1, [PARTS, PARTS]) == 4


def test_retests_are_paid_for_too() -> None:
    # 10 trainings: 7 trials and the best 3 again (at most half of the trials); 8 would be 4 more
    strategy = RANDOM.with_evaluation(inner_folds=None, retest=5)
    assert affordable_trials(strategy, 10 * 620, [PARTS]) == 7


def test_a_ranking_has_no_more_trials_than_draws() -> None:
    ranking = RANDOM.replace(algorithm="zero_cost", settings={"draws": 30})
    assert affordable_trials(ranking, 29 * 620, [PARTS]) == 29
    assert affordable_trials(ranking, 1000 * 620, [PARTS]) == 30
    assert affordable_trials(RANDOM, 1000 * 620, [PARTS]) == 1000


def test_a_budget_below_one_trial_is_refused() -> None:
    with pytest.raises(RunError, match=r"costs 600 clip-passes and one trial of 'random' \(10 epochs\) 620: give"):
        affordable_trials(RANDOM, 600, [PARTS])


def test_enas_passes_the_alphas_part_once_for_each_path_of_its_controller() -> None:
    parts = {"weights": range(36), "alphas": range(36), "monitor": range(23)}
    strategy = load_strategy("enas").with_budget(epochs=2, trials=None)
    steps_and_scores = 2 * (2 * 36 + 4 * 36 + 23)  # a path there and back, 4 paths there, the likeliest path there
    assert one_shot_passes(strategy, parts) == steps_and_scores + 20 * 36 + 23
