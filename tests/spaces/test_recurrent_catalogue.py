"""The catalogue space: its one choice, in the order of losses on text, shipped and of the user's own file."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audionas.errors import GenotypeError, SettingsError
from audionas.records import validate
from audionas.spaces import load_search_space
from audionas.spaces.recurrent_catalogue import RecurrentCatalogueSpace
from audionas.spaces.recurrent_genotype import RecurrentMacro
from audionas.spaces.reference_recipes import REFERENCE_RECIPES, reference_recipe

SPACE = RecurrentCatalogueSpace(name="catalogue", macro=RecurrentMacro(hidden=64))
MINE = {"elman": REFERENCE_RECIPES["rnn"], "memory": REFERENCE_RECIPES["lstm"]}


def test_the_shipped_spaces_have_265_and_123_recipes() -> None:
    assert SPACE.size() == len(SPACE.choices()["recipe"]) == 265
    two = RecurrentCatalogueSpace(states=2)
    assert two.size() == 123
    assert {two.genotype({"recipe": option}).n_states for option in two.choices()["recipe"]} == {2}


def test_options_stand_in_the_order_of_losses_and_those_without_one_stand_last() -> None:
    losses = SPACE.text_losses()
    assert tuple(losses) == SPACE.choices()["recipe"]
    order = [np.inf if loss is None else loss for loss in losses.values()]
    assert all(before <= after for before, after in pairwise(order))
    assert order[-1] == np.inf
    assert round(order[0], 2) == 4.57  # README of the data: the best validation loss


def test_an_option_is_named_by_the_smallest_of_its_ids() -> None:
    assert all(option == f"r{SPACE.ids(option)[0]}" for option in SPACE.choices()["recipe"])
    assert sum(len(SPACE.ids(option)) for option in SPACE.choices()["recipe"]) == 344


def test_a_sample_of_a_genotype_gives_the_genotype_back() -> None:
    for option in SPACE.choices()["recipe"][::10]:
        genotype = SPACE.genotype({"recipe": option})
        assert SPACE.sample(genotype) == {"recipe": option}
        assert (genotype.macro, genotype.space) == (SPACE.macro, "catalogue")
        SPACE.check(genotype)


def test_random_draws_recipes_of_the_catalogue_by_the_generator_given() -> None:
    drawn = [SPACE.random(np.random.default_rng(seed)) for seed in range(20)]
    assert drawn == [SPACE.random(np.random.default_rng(seed)) for seed in range(20)]
    assert len({genotype.hash for genotype in drawn}) > 15


def test_a_recipe_that_is_not_in_the_catalogue_is_refused() -> None:
    with pytest.raises(
        GenotypeError, match=r"not of space 'catalogue': its recipe is none of the 265 of the catalogue"
    ):
        SPACE.check(reference_recipe("gru_reset_after"))
    with pytest.raises(GenotypeError, match="not of space 'catalogue': it is not a recurrent one"):
        SPACE.check(load_search_space("darts_cnn_small").random(np.random.default_rng(0)))


def test_an_option_that_there_is_not_is_refused() -> None:
    fault = r"space 'catalogue' has no recipe 'r1'; it has 265, the first is 'r1000001'"
    with pytest.raises(GenotypeError, match=fault):
        SPACE.genotype({"recipe": "r1"})
    with pytest.raises(GenotypeError, match=fault):
        SPACE.ids("r1")


def test_a_file_of_the_users_own_is_read_from_the_folder_of_the_yaml(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(json.dumps(MINE), encoding="utf-8")
    space = RecurrentCatalogueSpace(name="mine", catalogue="mine.json").relative_to(tmp_path)
    assert space.choices() == {"recipe": ("elman", "memory")}
    assert space.text_losses() == {"elman": None, "memory": None}
    assert space.genotype({"recipe": "memory"}).recipe_hash == reference_recipe("lstm").recipe_hash
    assert space.ids("memory") == (1,)


def test_a_path_that_is_not_beside_the_yaml_is_meant_from_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.json").write_text(json.dumps(MINE), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    space = RecurrentCatalogueSpace(catalogue="./mine.json")
    assert space.size() == space.relative_to(tmp_path / "elsewhere").size() == 2


def test_once_read_the_file_is_not_needed_and_settings_hold_the_recipes(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(MINE), encoding="utf-8")
    space = RecurrentCatalogueSpace(name="mine", catalogue=str(path)).relative_to(tmp_path)
    path.unlink()
    again = validate(RecurrentCatalogueSpace, {"name": "mine", **json.loads(json.dumps(space.to_settings()))}, "space")
    assert again.choices() == space.choices()
    assert again.relative_to(tmp_path) == again == space


def test_a_shipped_catalogue_is_kept_by_name() -> None:
    assert SPACE.relative_to(Path("elsewhere")) is SPACE
    assert SPACE.to_settings()["catalogue"] == "nas_bench_nlp"
    assert validate(RecurrentCatalogueSpace, {"name": "catalogue", **SPACE.to_settings()}, "space") == SPACE


def test_the_faults_of_a_file_are_all_named(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text('[{"h_new_0": {"op": "linear", "input": ["y"]}}, {"f": 1}]', encoding="utf-8")
    path = tmp_path / "mine.json"
    faults = r"my\.yaml: .*mine\.json: recipe 'r0': .*reads 'y'.*; recipe 'r1': node 'f' must be"
    with pytest.raises(SettingsError, match=faults) as why:
        RecurrentCatalogueSpace(catalogue="mine.json").relative_to(tmp_path, "my.yaml")
    assert [problem.startswith(f"{path}: recipe 'r") for problem in why.value.problems] == [True, True]
    (tmp_path / "mine.json").write_text(json.dumps(MINE), encoding="utf-8")
    with pytest.raises(SettingsError, match=r"^my\.yaml: states: the catalogue has no recipe of 3 state"):
        RecurrentCatalogueSpace(catalogue="mine.json", states=3).relative_to(tmp_path, "my.yaml")


def test_a_catalogue_that_is_not_there_says_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "my.yaml").write_text("kind: recurrent_catalogue\ncatalogue: no.json\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path / "here")
    places = f"in {tmp_path} or {tmp_path / 'here'}"
    with pytest.raises(SettingsError, match=re.escape(f"my.yaml: catalogue: no file 'no.json' {places}") + "$"):
        load_search_space(tmp_path / "my.yaml")


def test_faults_of_the_yaml_and_of_its_catalogue_are_named_together(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text('[{"h_new_0": {"op": "linear", "input": ["y"]}}]', encoding="utf-8")
    yaml = "kind: recurrent_catalogue\ncatalogue: mine.json\nname: a\nstates: 9\n"
    (tmp_path / "my.yaml").write_text(yaml, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"my\.yaml: key 'name'.*; states: got 9.*mine\.json: recipe 'r0': .*'y'"):
        load_search_space(tmp_path / "my.yaml")


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (MINE, "this is a catalogue of 2 recipes, .*kind: recurrent_catalogue and catalogue: my.json$"),
        ([MINE["elman"]], "this is a catalogue of 1 recipe, "),
        (MINE["elman"], "a genotype or a single recipe is trained by audionas retrain"),
        (None, "a search space is a YAML file"),
    ],
)
def test_a_json_file_is_no_space_and_says_what_to_do(tmp_path: Path, value: object, hint: str) -> None:
    if value is not None:
        (tmp_path / "my.json").write_text(json.dumps(value), encoding="utf-8")
    with pytest.raises(SettingsError, match=rf"my\.json: a search space is a YAML file; .*{hint}" if value else hint):
        load_search_space(tmp_path / "my.json")


def test_a_json_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "my.json").write_text("[" * 200_000, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"my\.json: not a recipe file: nested too deeply$"):
        load_search_space(tmp_path / "my.json")


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        (
            {"catalogue": "nas_bench_nl"},
            r"unknown catalogue 'nas_bench_nl' \(did you mean 'nas_bench_nlp'\?\).*JSON file",
        ),
        ({"catalogue": 5}, "catalogue: got 5, .*expected a list of recipes"),
        ({"catalogue": [{"h_new_0": {"op": "linear", "input": ["y"]}}]}, "recipe 'r0': node 'h_new_0' reads 'y'"),
        ({"catalogue": MINE, "states": 3}, r"states: the catalogue has no recipe of 3 state\(s\)"),
        ({"states": 0}, "states: got 0, must be at least 1"),
        ({"macro": {"emit": "h0+h1"}}, r"macro: emit: h0\+h1 needs recipes of two states; set states: 2 or 3"),
        ({"catalog": "nas_bench_nlp"}, r"unknown key 'catalog' \(did you mean 'catalogue'\?\)"),
    ],
)
def test_settings_out_of_range_are_named(settings: dict[str, Any], fault: str) -> None:
    with pytest.raises(SettingsError, match=f"^my.yaml: .*{fault}"):
        validate(RecurrentCatalogueSpace, settings, "my.yaml")
