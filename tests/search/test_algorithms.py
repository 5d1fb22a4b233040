"""The table of algorithms: every module is in it, every member has the same contract."""

from __future__ import annotations

import inspect
import pkgutil
from typing import Any

import pytest

from audionas.errors import SettingsError
from audionas.search import algorithms
from audionas.search.algorithms import ALGORITHMS, builder, check_settings, remark_of, setting_defaults
from audionas.search.one_shot import alpha_reach, has_alphas, with_reach
from audionas.search.setting_ranges import RANGES
from audionas.search.strategy import PARTS, load_strategy


def test_every_module_of_the_folder_is_in_the_table() -> None:
    modules = {module.name for module in pkgutil.iter_modules(algorithms.__path__)}
    assert modules == {algorithm.module for algorithm in ALGORITHMS.values()}


@pytest.mark.parametrize("name", ALGORITHMS)
def test_an_algorithm_is_built_from_a_seed_and_settings_with_defaults(name: str) -> None:
    parameters = inspect.signature(builder(name)).parameters
    assert "seed" in parameters
    for key, parameter in parameters.items():
        assert parameter.kind is parameter.KEYWORD_ONLY
        assert key == "seed" or type(parameter.default) in (int, float, str, bool)
    assert ALGORITHMS[name].kind in PARTS
    assert ALGORITHMS[name].summary


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_algorithm_cites_its_source(name: str) -> None:
    module = inspect.getmodule(builder(name))
    assert "Source: " in (module.__doc__ or "")


def test_an_unknown_algorithm_suggests_the_nearest() -> None:
    with pytest.raises(SettingsError, match=r"unknown algorithm 'randm' \(did you mean 'random'\?\)"):
        builder("randm")


def test_a_whole_number_is_taken_for_a_float_but_no_truth_value() -> None:
    check_settings("darts", {"gradient_clip": 5}, "x")
    for value in (True, "5", None):
        with pytest.raises(SettingsError, match=r"x: settings.gradient_clip: got .*must be float such as 5.0"):
            check_settings("darts", {"gradient_clip": value}, "x")


def test_random_takes_no_settings() -> None:
    with pytest.raises(SettingsError, match="unknown key 'n' for algorithm 'random'; accepted: none"):
        check_settings("random", {"n": 1}, "x")


@pytest.mark.parametrize(
    "algorithm,settings,message",
    [
        ("pc_darts", {"partial": 0}, r"x: settings.partial: got 0, must be from 1 \(all channels\) to 1024"),
        ("pc_darts", {"warmup": 1.0}, "settings.warmup: got 1.0, must be from 0 to 0.99"),
        ("darts", {"collapse_skips": -1}, r"settings.collapse_skips: got -1, must be 0 \(off\) or more"),
        (
            "fair_darts",
            {"collapse_eigenvalue": 1.5},
            r"settings.collapse_eigenvalue: got 1.5, must be from 0 \(off\) to",
        ),
        ("gumbel_darts", {"last_temperature": 0.0}, "settings.last_temperature: got 0.0, must be from 0.001 to 1000"),
        ("random_one_shot", {"population": 1}, "settings.population: got 1, must be from 2 to 100000"),
        ("darts", {"arc_beta1": float("nan")}, "settings.arc_beta1: got nan, must be from 0 to below 1"),
        ("random_one_shot", {"mutation": 2}, "settings.mutation: got 2, must be from 0 to 1"),  # a whole number
        ("fair_darts", {"zero_one_weight": -1}, "settings.zero_one_weight: got -1, must be 0 or more"),
        ("grid", {"order": "random"}, "settings.order: got 'random'; accepted: spread, listed"),
        (
            "regularized_evolution",
            {"population": 4, "mutations": 1},
            r"settings.sample: got 5, must be from 1 to the population \(4\)",
        ),
        ("random_one_shot", {"collapse_skips": 2}, "unknown key 'collapse_skips' for algorithm 'random_one_shot'"),
    ],
)
def test_a_setting_out_of_range_is_refused_with_what_is_accepted(
    algorithm: str, settings: dict[str, float], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        check_settings(algorithm, settings, "x")


def test_every_range_is_that_of_a_setting_and_holds_its_default() -> None:
    used = {name: setting_defaults(name) for name in ALGORITHMS}
    assert set(RANGES) <= {key for defaults in used.values() for key in defaults}
    for name, defaults in used.items():
        check_settings(name, defaults, "x")


def test_the_best_epoch_cannot_be_picked_where_an_evolution_chooses() -> None:
    message = "--pick best: algorithm 'random_one_shot' chooses by scoring paths of .* use --pick last"
    with pytest.raises(SettingsError, match=message):
        load_strategy("random_one_shot").check_pick("best", has_monitor=True)
    load_strategy("darts").check_pick("best", has_monitor=True)


@pytest.mark.parametrize(
    "name,epochs,expected",
    [
        ("darts", 10, 10 * 3 * 3e-4),  # 36 clips are 3 steps of at most 16
        ("pc_darts", 10, 3.0),  # raised: 7 epochs of 3 steps after the warm-up, 1/7 would do, 0.1 is the most
        ("pc_darts", 1, 0.3),
    ],
)
def test_alphas_reach_as_far_as_the_steps_after_a_warm_up_let_them(name: str, epochs: int, expected: float) -> None:
    strategy = load_strategy(name).with_budget(epochs=epochs, trials=None)
    parts = {"weights": range(36)}
    reach = alpha_reach(with_reach(strategy, parts), parts)
    assert reach == pytest.approx(
        min(expected, 0.1 * 3 * (epochs - int(0.3 * epochs))) if name == "pc_darts" else expected
    )


def test_what_has_no_meaning_for_a_kind_of_cell_is_said_in_one_line() -> None:
    remarks = {(name, kind): remark_of(name, kind) for name in ALGORITHMS for kind in ALGORITHMS[name].spaces}
    assert {pair for pair, line in remarks.items() if line} == {("pc_darts", "darts_recurrent")}
    line = remarks["pc_darts", "darts_recurrent"]
    assert line is not None
    assert line.startswith("pc_darts: its partial channels are for convolutions; recurrent cells have K = 1")
    assert "\n" not in line


def test_single_paths_have_no_alphas_to_move() -> None:
    strategy = load_strategy("random_one_shot")
    assert not has_alphas(strategy)
    assert with_reach(strategy.replace(alpha_reach=3.0), {"weights": range(36)}).settings == strategy.settings


@pytest.mark.parametrize(
    "name,settings,words",
    [
        ("regularized_evolution", {"sample": 0}, r"x: settings\.sample: got 0, must be from 1 to the population"),
        ("regularized_evolution", {"mutations": 0}, r"x: settings\.mutations: got 0, must be from 1 to 1000"),
        ("regularized_evolution", {"population": 1}, r"x: settings\.population: got 1, must be from 2 to 100000"),
        ("tpe", {"startup_trials": 1}, r"x: settings\.startup_trials: got 1, must be from 2 to 100000"),
        ("tpe", {"candidates": 0}, r"x: settings\.candidates: got 0, must be from 1 to 100000"),
        ("tpe", {"gamma": 0.0}, r"x: settings\.gamma: got 0\.0, must be above 0"),
        ("tpe", {"prior_weight": -1.0}, r"x: settings\.prior_weight: got -1\.0, must be above 0"),
        ("tpe", {"linear_forgetting": 0}, r"x: settings\.linear_forgetting: got 0, must be 1 or more"),
        ("local_search", {"draws": 0}, r"x: settings\.draws: got 0, must be from 1 to 100000"),
    ],
)
def test_a_number_out_of_range_is_refused_with_the_file(name: str, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        check_settings(name, settings, "x")


def test_settings_that_contradict_each_other_or_are_no_option_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"settings\.sample: got 21, must be from 1 to the population \(20\)"):
        builder("regularized_evolution")(seed=0, sample=21)
    with pytest.raises(SettingsError, match=r"settings\.order: got 'random'; accepted: spread, listed"):
        builder("grid")(seed=0, order="random")
