"""Which recipe a genotype is retrained with, and what is refused for its kind."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from audionas.errors import SettingsError
from audionas.experiment.genotype_sources import Source
from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.retrain import RetrainRequest, retrain
from audionas.experiment.retrain_recipe import check_kinds, kind_of, retrain_recipe
from audionas.spaces.darts_text import from_darts_text
from audionas.spaces.genotype_file import save_genotype
from audionas.spaces.recurrent_genotype import RecurrentMacro
from audionas.spaces.reference_recipes import reference_recipe
from audionas.training.predictions import read_predictions
from audionas.training.recipe import Recipe
from tests.spaces.genotypes import DARTS_V2

CNN = from_darts_text(DARTS_V2)
GRU = replace(reference_recipe("gru"), macro=RecurrentMacro(hidden=4))


def test_cnn_cells_train_by_sgd_as_darts_does() -> None:
    found = retrain_recipe(CNN, {})
    assert kind_of(CNN) == "cnn_cell"
    assert (found.optimiser, found.learning_rate, found.min_learning_rate) == ("sgd", 0.025, 0.001)
    assert (found.momentum, found.weight_decay, found.gradient_clip) == (0.9, 3e-4, 5.0)


def test_recurrent_cells_train_by_adam_as_emotionnas_does() -> None:
    found = retrain_recipe(GRU, {"drop_path": 0.0})
    assert kind_of(GRU) == "recurrent_cell"
    assert (found.optimiser, found.learning_rate, found.min_learning_rate) == ("adam", 1e-3, 0.0)
    assert (found.weight_decay, found.gradient_clip) == (1.2e-6, 5.0)


def test_only_what_the_user_names_is_overridden() -> None:
    found = retrain_recipe(GRU, {"learning_rate": 0.01})
    assert (found.optimiser, found.learning_rate, found.weight_decay) == ("adam", 0.01, 1.2e-6)


def test_another_optimiser_brings_its_own_rate() -> None:
    assert retrain_recipe(CNN, {"optimiser": "adam"}).learning_rate == 1e-3
    assert retrain_recipe(GRU, {"optimiser": "sgd"}) == Recipe()
    assert retrain_recipe(GRU, {"optimiser": "sgd", "learning_rate": 0.1}).learning_rate == 0.1


def test_an_unknown_optimiser_is_one_line() -> None:
    with pytest.raises(SettingsError, match="retrain: optimiser: got 'rmsprop', must be 'sgd' or 'adam'"):
        retrain_recipe(GRU, {"optimiser": "rmsprop"})


def test_what_only_cnn_cells_have_is_refused_beside_a_recurrent_genotype() -> None:
    source = Source(Path("gru.json"), GRU, {})
    with pytest.raises(SettingsError, match=r"--auxiliary is for CNN cells; gru.json holds a recurrent genotype"):
        check_kinds([source], Recipe(), auxiliary=True)
    with pytest.raises(SettingsError, match="--drop-path is for CNN cells"):
        check_kinds([source], Recipe(drop_path=0.1), auxiliary=False)
    cnn = Source(Path("cnn.json"), CNN, {})
    check_kinds([cnn], Recipe(drop_path=0.1), auxiliary=True)
    with pytest.raises(
        SettingsError, match=r"must be of one kind: gru.json is a recurrent_cell, cnn.json is a cnn_cell; retrain them"
    ):
        check_kinds([source, cnn], Recipe(), auxiliary=False)


@pytest.mark.usefixtures("tiny_space")
def test_a_recurrent_genotype_is_retrained_with_its_own_recipe(tiny_corpus: Path, tmp_path: Path) -> None:
    save_genotype(GRU, tmp_path / "gru.json", {})
    request = RetrainRequest(
        (tmp_path / "gru.json",), tiny_corpus, str(tmp_path / "features.yaml"), {"n_layers": 2},
        epochs=1, seeds=1, threads=1, inner_folds=2, out=tmp_path / "out",
        preparation=PrepareOptions(group_from="^(s[0-9])", folds="3"),
    )  # fmt: skip
    run = retrain(request)
    assert json.loads((run / "run.json").read_text())["options"]["recipe"]["optimiser"] == "adam"
    result = json.loads((run / "split_1" / "seed_0" / "result.json").read_text())
    assert result["parameter_parts"]["attention"] > 0
    assert result["parameter_parts"]["total"] == result["parameters"]
    assert "inner_oof" in read_predictions(run / "split_1" / "seed_0" / "predictions.csv")
    with pytest.raises(SettingsError, match="--cells is for CNN genotypes; this one is recurrent: --layers, --hidden"):
        retrain(replace(request, macro={"n_cells": 2}, out=tmp_path / "other"))
    assert not (tmp_path / "other").exists()
