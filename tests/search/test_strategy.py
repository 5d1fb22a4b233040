"""Strategies: the shipped ones are those of their papers, a wrong one is one line that says what is accepted."""

from __future__ import annotations

import math
from math import ceil
from pathlib import Path

import pytest

from audionas import shipped
from audionas.errors import SettingsError
from audionas.search.algorithms import check_pair, strategies_for
from audionas.search.one_shot import alpha_reach, steps_per_epoch, with_reach
from audionas.search.strategy import Strategy, load_strategy, strategy_from_settings
from audionas.spaces import load_search_space

DARTS = {"algorithm": "darts", "parts": {"weights": 0.5, "alphas": 0.5}}


@pytest.mark.parametrize("name", shipped.names("strategies"))
def test_every_shipped_strategy_is_valid_and_comes_back_from_its_settings(name: str) -> None:
    strategy = load_strategy(name)
    assert strategy.name == name
    assert strategy.source
    assert strategy_from_settings(strategy.to_settings(), name, "here") == strategy


def test_darts_has_the_settings_of_its_paper() -> None:
    # Liu et al. 2019, section 3.1.1, as EmotionNAS has them (FACTS 1.1); batch 16 is ours
    darts = load_strategy("darts")
    assert (darts.algorithm, darts.kind, darts.budget.epochs) == ("darts", "one-shot", 50)
    assert darts.settings == {
        "arc_learning_rate": 3e-4, "arc_beta1": 0.5, "arc_beta2": 0.999, "arc_weight_decay": 1e-3, "gradient_clip": 5.0,
    }  # fmt: skip
    assert darts.recipe is not None
    assert (darts.recipe.learning_rate, darts.recipe.min_learning_rate) == (0.025, 0.001)
    assert (darts.recipe.momentum, darts.recipe.weight_decay) == (0.9, 3e-4)
    assert (darts.parts["weights"], darts.parts["alphas"]) == (0.5, 0.5)
    assert darts.alpha_reach is None


@pytest.mark.parametrize(
    "changes,words",
    [
        ({"algoritm": "darts"}, r"unknown key 'algoritm' \(did you mean 'algorithm'\?\)"),
        (
            {"algorithm": "dart"},
            r"algorithm: unknown algorithm 'dart' \(did you mean 'darts'\?\); known: catalogue, darts",
        ),
        ({"parts": {"weight": 0.5, "alphas": 0.5}}, r"parts: unknown part 'weight' .*known: alphas, monitor, weights"),
        ({"parts": {"weights": 0.5}}, "parts.alphas: must be above 0 for algorithm 'darts'"),
        ({"parts": {"weights": 0.5, "alphas": 1.5}}, "parts.alphas: got 1.5, must be a share from 0 to 1"),
        ({"parts": {"weights": 0.5, "alphas": "auto"}}, "parts.alphas: got 'auto', only monitor or unused may be auto"),
        ({"settings": {"rate": 1.0}}, "unknown key 'rate' for algorithm 'darts'; accepted: arc_learning_rate"),
        ({"settings": {"arc_learning_rate": "high"}}, "settings.arc_learning_rate: got 'high', must be float"),
        ({"settings": {"seed": 1}}, "unknown key 'seed'"),
        ({"recipe": {"optimizer": "sgd"}}, r"unknown key 'recipe.optimizer'.*optimiser"),
        ({"recipe": {"optimiser": "lbfgs"}}, "recipe.optimiser: got 'lbfgs', must be 'sgd' or 'adam'"),
        ({"recipe": {"learning_rate": 0}}, "recipe.learning_rate: got 0, must be above 0"),
        ({"batch_size": 1}, "batch_size: got 1, must be at least 2"),
        ({"class_weighting": "yes"}, "class_weighting: got 'yes', must be 'balanced', 'none' or 'sampler'"),
        ({"budget": {"epochs": 0}}, "budget.epochs: got 0, must be at least 1"),
        ({"alpha_reach": -1}, "alpha_reach: got -1, must be above 0"),
        ({"parts": {"weights": "dev", "alphas": 0.5}}, "parts.weights: got 'dev', only alphas may be dev"),
        ({"stop_diverging": 1}, "stop_diverging: got 1, must be above 1"),
        ({"inner_folds": 3}, "inner_folds: algorithm 'darts' is one-shot and trains no candidates; remove it"),
        ({"inner_folds": 1}, r"inner_folds: got 1, must be 0 \(one division into train and validation\) or at least 2"),
        ({"retest": -1}, "retest: got -1, must be at least 0"),
        ({"score_epoch": "first"}, "score_epoch: got 'first', must be 'last' or 'best'"),
    ],
)
def test_a_wrong_strategy_is_one_line_that_says_what_is_accepted(changes: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=f"^mine.yaml: .*{words}") as error:
        strategy_from_settings({**DARTS, **changes}, "mine", "mine.yaml")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("value", [".nan", ".inf", "-.inf", "[1.0]", "null"])
def test_a_setting_that_is_no_number_is_one_mistake(value: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(f"algorithm: tpe\nparts: {{train: 0.5, validation: 0.5}}\nsettings: {{gamma: {value}}}\n")
    with pytest.raises(
        SettingsError, match=r"mine.yaml: settings.gamma: got .*, must be a finite number, text"
    ) as error:
        load_strategy(path)
    assert len(error.value.problems) == 1


@pytest.mark.parametrize("value", [".nan", ".inf", "half", "[0.5]", "yes"])
def test_a_share_that_is_no_number_is_one_mistake(value: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(f"algorithm: darts\nparts: {{weights: {value}, alphas: 0.5}}\n")
    with pytest.raises(SettingsError, match=r"parts.weights: got .*, must be a share from 0 to 1, or auto or") as error:
        load_strategy(path)
    assert len(error.value.problems) == 1


def test_two_settings_that_are_no_numbers_are_two_mistakes() -> None:
    with pytest.raises(SettingsError) as error:
        strategy_from_settings(
            {**DARTS, "settings": {"arc_beta1": math.nan, "arc_beta2": math.inf}}, "mine", "mine.yaml"
        )
    assert [line.split(":")[0] for line in error.value.problems] == ["settings.arc_beta1", "settings.arc_beta2"]


def test_several_mistakes_are_told_at_once() -> None:
    with pytest.raises(SettingsError, match=r"batch_size: got 0.*budget.epochs: got 0.*unknown key 'x'"):
        strategy_from_settings({**DARTS, "batch_size": 0, "budget": {"epochs": 0}, "x": 1}, "mine", "mine.yaml")


def test_an_unknown_strategy_suggests_the_nearest() -> None:
    with pytest.raises(SettingsError, match=r"unknown strategy 'darts_smal_data' \(did you mean 'darts_small_data'"):
        load_strategy("darts_smal_data")


def test_a_file_that_is_no_text_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="cannot read this strategy"):
        load_strategy(tmp_path / "x.yaml")


@pytest.mark.parametrize("n_clips,epochs,batch_size", [(50, 30, 16), (40, 30, 16), (370, 5, 16), (96, 10, 8)])
def test_the_rate_is_raised_until_steps_times_rate_is_three(n_clips: int, epochs: int, batch_size: int) -> None:
    strategy = load_strategy("darts_small_data").with_budget(epochs=epochs, trials=None).replace(batch_size=batch_size)
    parts = {"weights": tuple(range(n_clips)), "alphas": tuple(range(n_clips))}
    steps = epochs * ceil(n_clips / batch_size)
    assert steps_per_epoch(strategy, parts) * epochs == steps
    assert alpha_reach(strategy, parts) == pytest.approx(3e-4 * steps)
    rate = with_reach(strategy, parts).settings["arc_learning_rate"]
    assert 3.0 <= rate * steps < 3.0 + 1e-6 * steps


def test_where_there_are_steps_enough_the_rate_of_the_paper_stays() -> None:
    parts = {"weights": tuple(range(16 * 400))}
    strategy = load_strategy("darts_small_data")  # 30 epochs of 400 steps x 3e-4 = 3.6
    assert with_reach(strategy, parts) == strategy
    darts = load_strategy("darts")
    assert with_reach(darts, {"weights": (0, 1)}) == darts


@pytest.mark.parametrize("n_groups,monitor", [(2, 0.0), (7, 0.0), (8, 0.2), (40, 0.2)])
def test_a_monitor_part_is_set_aside_from_eight_groups_on(n_groups: int, monitor: float) -> None:
    shares = load_strategy("darts").shares(n_groups)
    assert shares["monitor"] == monitor
    assert shares["weights"] == shares["alphas"] == pytest.approx((1 - monitor) / 2)


def test_shares_that_are_given_stay_in_proportion() -> None:
    strategy = strategy_from_settings({**DARTS, "parts": {"weights": 0.6, "alphas": 0.2, "monitor": 0}}, "x", "x")
    assert strategy.shares(20) == pytest.approx({"weights": 0.75, "alphas": 0.25, "monitor": 0.0})


def test_the_command_line_overrides_the_budget_only_where_it_means_something() -> None:
    random = load_strategy("random").with_budget(epochs=3, trials=7)
    assert (random.budget.epochs, random.budget.trials) == (3, 7)
    with pytest.raises(SettingsError, match="--trials: strategy 'darts' is one-shot"):
        load_strategy("darts").with_budget(epochs=None, trials=5)
    with pytest.raises(SettingsError, match=r"budget.epochs: got 0"):
        load_strategy("darts").with_budget(epochs=0, trials=None)


def test_the_command_line_sets_inner_folds_and_re_tests_of_trials_only() -> None:
    random = load_strategy("random")
    assert (random.inner_folds, random.retest) == (0, 5)
    changed = random.with_evaluation(inner_folds=4, retest=0)
    assert (changed.inner_folds, changed.retest) == (4, 0)
    assert random.with_evaluation(inner_folds=None, retest=None) == random
    for words, flag in (({"inner_folds": 3}, "--inner-folds"), ({"retest": 2}, "--retest")):
        with pytest.raises(SettingsError, match=f"{flag}: strategy 'darts' is one-shot .*; it is for multi-trial"):
            load_strategy("darts").with_evaluation(**({"inner_folds": None, "retest": None} | words))


def test_a_one_shot_strategy_keeps_nothing_of_trials_in_its_settings() -> None:
    assert not {"inner_folds", "retest"} & set(load_strategy("darts").to_settings())
    assert load_strategy("random").to_settings()["retest"] == 5


def test_the_catalogue_of_the_paper_re_tests_nothing() -> None:
    # Sun et al. 2022, section 2.2: "the one with the lowest validation loss"; a second training is not mentioned
    assert load_strategy("catalogue").retest == 0


def test_a_strategy_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Strategy(**DARTS).batch_size = 3  # type: ignore[misc, arg-type]


def test_emotionnas_trains_its_alphas_on_the_validation_speaker() -> None:
    # Sun et al. 2022, section 3.2 (FACTS 1.1): 50 epochs, SGD 0.025, alphas Adam 3e-4; DARTS's batch of 64
    paper = load_strategy("darts_emotionnas")
    assert paper.parts == {"weights": 1.0, "alphas": "dev"}
    assert (paper.batch_size, paper.budget.epochs, paper.class_weighting) == (64, 50, "none")
    assert paper.settings["arc_learning_rate"] == 3e-4
    assert paper.recipe is not None
    assert (paper.recipe.optimiser, paper.recipe.learning_rate, paper.recipe.weight_decay) == ("sgd", 0.025, 3e-4)


def test_the_catalogue_is_searched_by_validation_loss_with_adam() -> None:
    # Sun et al. 2022, sections 2.2 and 3.3 (FACTS 1.1)
    catalogue = load_strategy("catalogue")
    assert (catalogue.objective, catalogue.algorithm) == ("loss", "catalogue")
    assert catalogue.recipe is not None
    assert (catalogue.recipe.optimiser, catalogue.recipe.learning_rate) == ("adam", 1e-3)


@pytest.mark.parametrize("strategy,space", [("catalogue", "darts_cnn"), ("darts", "nas_bench_nlp_catalogue")])
def test_a_strategy_refuses_a_space_that_it_cannot_search(strategy: str, space: str) -> None:
    with pytest.raises(SettingsError, match=f"algorithm '{strategy}' cannot search space '{space}' of kind"):
        load_strategy(strategy).for_space(load_search_space(space))


@pytest.mark.parametrize(
    ("kind", "fitting"),
    [
        ("cnn_cell", {"darts", "darts_emotionnas", "darts_small_data", "random", "tpe"}),
        ("recurrent_cell", {"random", "tpe"}),
        ("recurrent_catalogue", {"catalogue", "random", "tpe"}),
        ("cnn_macro", {"random", "tpe"}),
    ],
)
def test_the_strategies_for_a_kind_of_space_are_those_that_can_search_it(kind: str, fitting: set[str]) -> None:
    found = strategies_for(kind)
    assert set(found) >= fitting
    assert ("catalogue" in found) == (kind == "recurrent_catalogue")


def test_the_refusal_names_the_strategies_that_fit() -> None:
    fitting = " or ".join(strategies_for("cnn_cell"))
    with pytest.raises(SettingsError, match=f"only recurrent_catalogue; for this space take --strategy {fitting}"):
        check_pair("catalogue", "cnn_cell", "mine")


@pytest.mark.parametrize(
    "space,optimiser", [("darts_cnn_small", "sgd"), ("cnn_macro", "sgd"), ("nas_bench_nlp_rnn", "adam")]
)
def test_without_a_recipe_that_of_the_kind_of_space_is_taken(space: str, optimiser: str) -> None:
    strategy = load_strategy("random")
    assert strategy.recipe is None
    filled = strategy.for_space(load_search_space(space))
    assert filled.recipe is not None
    assert filled.recipe.optimiser == optimiser


@pytest.mark.parametrize("algorithm,first", [("random", "train"), ("random_one_shot", "weights")])
def test_a_strategy_without_alphas_has_nothing_to_steer(algorithm: str, first: str) -> None:
    second = {"train": "validation", "weights": "alphas"}[first]
    settings = {"algorithm": algorithm, "parts": {first: 0.5, second: 0.5}, "cost_weight": 0.1}
    with pytest.raises(SettingsError, match=f"cost_weight: algorithm '{algorithm}' has no alphas to steer; remove it"):
        strategy_from_settings(settings, "mine", "mine.yaml")


@pytest.mark.parametrize("change", [{"schedule": "constant"}, {"clip_by": "value"}])
def test_a_one_shot_strategy_has_one_schedule_and_one_way_to_clip(change: dict[str, str]) -> None:
    settings = {"algorithm": "random_one_shot", "parts": {"weights": 0.5, "alphas": 0.5}, "recipe": change}
    with pytest.raises(SettingsError, match="recipe: schedule and clip_by do nothing here"):
        strategy_from_settings(settings, "mine", "mine.yaml")
