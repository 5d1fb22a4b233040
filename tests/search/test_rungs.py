"""Rungs and brackets of successive halving and Hyperband, against the papers' numbers."""

from __future__ import annotations

from itertools import islice

import pytest

from audionas.errors import SettingsError
from audionas.search.rungs import Bracket, check_rungs, halving_brackets, hyperband_brackets, make_rungs
from audionas.search.strategy import Budget
from audionas.search.trials import Fidelity

THREE = tuple(Fidelity(epochs) for epochs in (1, 3, 9))


def test_rungs_are_powers_of_eta_of_a_whole_training() -> None:
    budget = Budget(epochs=81, trials=100)
    assert [rung.epochs for rung in make_rungs(budget, "epochs", 3, 5)] == [1, 3, 9, 27, 81]
    assert make_rungs(budget, "fraction", 2, 3) == (Fidelity(81, 0.25), Fidelity(81, 0.5), Fidelity(81, 1.0))


@pytest.mark.parametrize("epochs,expected", [(1, [1]), (2, [1, 2]), (4, [1, 4]), (5, [1, 2, 5])])
def test_rungs_of_few_epochs_are_at_least_one_and_no_two_are_equal(epochs: int, expected: list[int]) -> None:
    assert [rung.epochs for rung in make_rungs(Budget(epochs=epochs, trials=9), "epochs", 3, 3)] == expected


def test_a_budget_has_no_more_rungs_than_trials_so_that_the_last_one_is_reached() -> None:
    for trials in (1, 2, 3):
        assert len(make_rungs(Budget(epochs=9, trials=trials), "epochs", 3, 4)) == trials


def test_rungs_that_a_budget_does_not_climb_are_left_out() -> None:
    # 1 of 2 epochs is half a training: 3 of them and a whole one cost 2.5
    assert [len(make_rungs(Budget(epochs=2, trials=trials), "epochs", 3, 3)) for trials in (2, 3)] == [1, 2]


@pytest.mark.parametrize(
    "by,eta,rungs,match",
    [
        ("clips", 3, 3, "settings.by: got 'clips'; accepted: epochs, fraction"),
        ("epochs", 1, 3, "settings.eta: got 1, must be 2 to 100"),
        ("epochs", 3, 0, "settings.rungs: got 0, must be 1 to 20"),
    ],
)
def test_settings_out_of_range_are_refused(by: str, eta: int, rungs: int, match: str) -> None:
    with pytest.raises(SettingsError, match=match):
        check_rungs(by, eta, rungs)


def promoted(bracket: Bracket) -> list[tuple[int, str]]:
    return [(each.rung, each.genotype_hash) for each in bracket.promotions()]


def test_the_best_third_of_a_rung_is_promoted_as_soon_as_it_is_a_third() -> None:
    bracket = Bracket(THREE, 3)
    for name, loss in (("a", 0.5), ("b", 0.2)):
        bracket.note(0, name, {}, (loss, 0, 0))
    assert promoted(bracket) == [], "1/3 of 2 is none"
    bracket.note(0, "c", {}, (0.9, 0, 0))
    assert promoted(bracket) == [(1, "b")]
    bracket.promote(next(bracket.promotions()))
    assert promoted(bracket) == []
    for name, loss in (("d", 0.1), ("e", 0.8)):
        bracket.note(0, name, {}, (loss, 0, 0))
    assert promoted(bracket) == [(1, "d")], "the best of 5, though b has gone on already: no rung waits"


def test_higher_rungs_are_promoted_first() -> None:
    bracket = Bracket(THREE, 2)
    for name, loss in (("a", 0.1), ("b", 0.2), ("c", 0.3), ("d", 0.4)):
        bracket.note(0, name, {}, (loss, 0, 0))
    for name, loss in (("a", 0.4), ("b", 0.3)):
        bracket.note(1, name, {}, (loss, 0, 0))
    assert promoted(bracket) == [(2, "b"), (1, "a"), (1, "b")]


def test_what_a_climb_needs_is_eta_of_a_rung_for_each_of_the_next_and_less_with_each_that_began() -> None:
    bracket = Bracket(THREE, 3)
    assert list(bracket.climb(0)) == [(3, Fidelity(3)), (1, Fidelity(9))]
    assert list(bracket.climb(1)) == [(1, Fidelity(9))]
    assert list(bracket.climb(2)) == []
    for name, loss in (("a", 0.1), ("b", 0.2), ("c", 0.3)):
        bracket.note(0, name, {}, (loss, 0, 0))
    bracket.promote(next(bracket.promotions()))
    assert list(bracket.climb(0)) == [(2, Fidelity(3)), (1, Fidelity(9))]


def test_a_failed_trial_counts_in_its_rung_and_is_never_promoted() -> None:
    bracket = Bracket(THREE, 3)
    for name in "abc":
        bracket.note(0, name, {}, None)
    assert promoted(bracket) == []
    for name, loss in (("d", 0.5), ("e", 0.6), ("f", 0.7)):
        bracket.note(0, name, {}, (loss, 0, 0))
    assert promoted(bracket) == [(1, "d"), (1, "e")]


def test_an_architecture_that_is_drawn_twice_counts_once() -> None:
    bracket = Bracket(THREE, 3)
    for _ in range(3):
        bracket.note(0, "a", {}, (0.1, 0, 0))
    assert promoted(bracket) == []


def test_the_brackets_of_hyperband_are_those_of_its_algorithm() -> None:
    # Li et al. 2018, algorithm 1, with R = 81 and eta = 3: n = ceil(5 x 3^s / (s + 1)), r = 81 / 3^s, s = 4 to 0
    rungs = tuple(Fidelity(epochs) for epochs in (1, 3, 9, 27, 81))
    brackets = list(islice(hyperband_brackets(rungs, 3), 6))
    starts = [(bracket._size, bracket.rungs[0].epochs) for bracket in brackets]
    assert starts == [(81, 1), (34, 3), (15, 9), (8, 27), (5, 81), (81, 1)]
    assert all(bracket.rungs[-1].epochs == 81 for bracket in brackets)


def test_a_bracket_is_full_when_its_candidates_have_begun_and_one_that_brought_nothing_is_replaced() -> None:
    bracket = Bracket(THREE, 3, size=2)
    bracket.open()
    bracket.open()
    assert not bracket.has_room
    bracket.close()
    bracket.note(0, "a", {}, (0.1, 0, 0))
    assert not bracket.has_room
    bracket.close()  # refused: over a limit
    assert bracket.has_room
    assert next(halving_brackets(THREE, 3)).has_room
