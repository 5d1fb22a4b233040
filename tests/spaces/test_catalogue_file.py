"""Recipe and catalogue files: what the shipped one holds, and every fault of a user's named together."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from audionas.errors import GenotypeError, SettingsError
from audionas.ops.recurrent import RNN_OPS
from audionas.spaces.catalogue_file import (
    MAX_BYTES,
    catalogue_facts,
    catalogue_recipes,
    catalogue_size,
    is_recipe_document,
    read_catalogue_document,
    read_json_strictly,
    read_recipe_file,
    shipped_catalogues,
    shipped_recipes,
)
from audionas.spaces.reference_recipes import REFERENCE_RECIPES, reference_recipe

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "audionas" / "spaces" / "data" / "nas_bench_nlp.json"
LOGS = ROOT.parent / "shared" / "data" / "nas_bench_nlp" / "wikitext2_logs.parquet"
RNN, LSTM = REFERENCE_RECIPES["rnn"], REFERENCE_RECIPES["lstm"]


@pytest.fixture(scope="module")
def shipped() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(SHIPPED.read_text(encoding="utf-8"))
    return document


def write(path: Path, value: object) -> Path:
    """A JSON file; a text is written as it is."""
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path


# The shipped catalogue; the numbers are those of the issue and of the data's own README


def test_the_catalogue_has_291_recipes_of_345_runs(shipped: dict[str, Any]) -> None:
    recipes = shipped["recipes"]
    assert len(recipes) == len({json.dumps(entry["recipe"], sort_keys=True) for entry in recipes}) == 291
    runs = [run for entry in recipes for run in entry["runs"]]
    assert len(runs) == 345
    assert len({run["id"] for run in runs}) == 344
    assert [sum(run["status"] == status for run in runs) for status in ("OK", "loss is nan!")] == [341, 4]


def test_its_losses_are_those_of_the_data_readme(shipped: dict[str, Any]) -> None:
    losses = [run["best_val_loss"] for entry in shipped["recipes"] for run in entry["runs"]]
    known = [loss for loss in losses if loss is not None]
    assert round(min(known), 2) == 4.57
    assert round(median(known), 2) == 5.58


def test_a_loss_is_the_best_of_the_runs_that_ended_well(shipped: dict[str, Any]) -> None:
    for entry in shipped["recipes"]:
        well = [run["best_val_loss"] for run in entry["runs"] if run["status"] == "OK"]
        assert entry["text_loss"] == (min(well) if well else None)
        assert entry["ids"] == sorted({run["id"] for run in entry["runs"]})
        assert entry["id"] == entry["ids"][0]


def test_up_to_isomorphism_they_are_265_and_123_of_them_have_two_states() -> None:
    recipes = shipped_recipes("nas_bench_nlp")
    assert len(recipes) == len({entry.genotype.recipe_hash for entry in recipes}) == 265
    assert sum(entry.genotype.n_states == 2 for entry in recipes) == 123
    assert sum(len(entry.ids) for entry in recipes) == 344, "duplicates keep their ids"


def test_the_best_on_text_is_the_lstm_of_the_release() -> None:
    best = shipped_recipes("nas_bench_nlp")[0]
    assert best.genotype.recipe_hash == reference_recipe("lstm_nbnlp").recipe_hash
    assert (best.name, best.ids) == ("r1000001", (1000001,))


def test_it_names_its_source_and_licence(shipped: dict[str, Any]) -> None:
    assert shipped_catalogues() == ["nas_bench_nlp"]
    assert shipped["licence"] == "Apache-2.0"
    assert "Klyuchnikov" in shipped["attribution"]
    assert "Changed here" in shipped["attribution"], "the licence asks that changes are stated"
    assert SHIPPED.stat().st_size < 200_000


def test_the_script_makes_the_shipped_file_again() -> None:
    if not LOGS.is_file():
        pytest.skip("needs wikitext2_logs.parquet of the NAS-Bench-NLP release beside the checkout")
    import pandas as pd

    from benchmarks.make_catalogue import catalogue_text

    logs = pd.read_parquet(LOGS)
    assert catalogue_text(logs) == SHIPPED.read_text(encoding="utf-8")
    assert catalogue_text(logs.sample(frac=1, random_state=0)) == catalogue_text(logs), "whatever the order of the runs"


# A single recipe


def test_a_recipe_file_is_a_genotype(tmp_path: Path) -> None:
    assert read_recipe_file(write(tmp_path / "lstm.json", LSTM)) == reference_recipe("lstm")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"f": {"op": "linear", "input": ["x"]}, "f": {"op": "linear", "input": ["x"]}, '
         '"h_new_0": {"op": "activation_tanh", "input": ["f"]}}', "two definitions of 'f'; keep one"),
        ('{"h_new_0": {"op": "linear", "op": "linear", "input": ["x"]}}', "two definitions of 'h_new_0.op'; keep one"),
        ('{"f": {"op": "activation_tanh", "input": ["h_new_0"]}, '
         '"h_new_0": {"op": "activation_tanh", "input": ["f"]}}', "nodes form a cycle: f -> h_new_0 -> f"),
        ('{"h_new_0": {"op": "linear", "input": ["x", "g"]}}', "node 'h_new_0' reads 'g', but nothing defines it"),
        ('{"h_new_0": {"op": "blend", "input": ["h_prev_0"]}}', "blend has 1 inputs, takes 3"),
        ('{"h_new_0": {"op": "linera", "input": ["x"]}}', "unknown operation 'linera' .did you mean 'linear'"),
        ('{"h_new_1": {"op": "linear", "input": ["x"]}}', "h_new_0 is missing: outputs are numbered from 0"),
        ("[1]", "expected an object of nodes, got list"),
        ('{"h_new_0": ', "not valid JSON"),
        ('{"h_new_0": NaN}', "not valid JSON"),
    ],
)  # fmt: skip
def test_a_fault_of_a_recipe_file_is_named(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(GenotypeError, match=rf"recipe\.json: .*{fault}"):
        read_recipe_file(write(tmp_path / "recipe.json", text))


def test_all_faults_of_a_recipe_file_are_named_together(tmp_path: Path) -> None:
    text = (
        '{"f": {"op": "linear", "input": ["x"]}, "f": {"op": "linear", "input": ["y"]}, '
        '"h_new_0": {"op": "blend", "input": ["f"]}}'
    )
    with pytest.raises(GenotypeError, match=r"two definitions of 'f'.*blend has 1 inputs.*reads 'y'"):
        read_recipe_file(write(tmp_path / "recipe.json", text))


def test_a_missing_a_huge_and_a_special_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(GenotypeError, match=r"none\.json: no such recipe file"):
        read_json_strictly(tmp_path / "none.json")
    huge = tmp_path / "huge.json"
    with huge.open("wb") as stream:
        stream.truncate(MAX_BYTES + 1)
    with pytest.raises(GenotypeError, match=r"16777217 bytes, a recipe file has at most 16777216"):
        read_json_strictly(huge)
    with pytest.raises(GenotypeError, match="not a genotype file: not a regular file"):
        read_json_strictly(tmp_path, "genotype file")


def test_a_deeply_nested_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(GenotypeError, match=r"deep\.json: not a recipe file: nested too deeply$"):
        read_recipe_file(write(tmp_path / "deep.json", "[" * 200_000 + "]" * 200_000))
    with pytest.raises(GenotypeError, match=r"deep\.json"):
        read_recipe_file(write(tmp_path / "deep.json", '{"a":' * 900 + "1" + "}" * 900))


@pytest.mark.parametrize(
    ("value", "is_recipe"),
    [
        *((recipe, True) for recipe in REFERENCE_RECIPES.values()),
        ({"a": {"op": "lineer", "input": "x"}}, True),
        ({"kind": {"op": "linear", "input": ["x"]}}, True),
        ({"op": {"op": "linear", "input": ["x"]}}, True),
        ({"schema_version": 1, "kind": "recurrent_cell", "recipe": {"a": {"op": "linear", "input": ["x"]}}}, False),
        ({"schema_version": 1, "kind": "cnn_cell", "provenance": {"op": "linear"}}, False),
        ({"mine": {"op": {"op": "linear", "input": ["x"]}}}, False),
        ({"recipes": []}, False),
        ({}, False),
        ([{"a": {"op": "linear", "input": ["x"]}}], False),
    ],
)
def test_a_bare_recipe_is_told_from_other_documents(value: object, is_recipe: bool) -> None:
    assert is_recipe_document(value) is is_recipe


# A user's catalogue


def entry(number: int, recipe: object, **more: object) -> dict[str, object]:
    """A recipe of a catalogue's document."""
    return {"id": number, "recipe": recipe, **more}


def test_a_list_an_object_and_a_document_are_catalogues(tmp_path: Path) -> None:
    for value, names in (
        ([RNN, LSTM], ["r0", "r1"]),
        ({"mine": RNN, "theirs": LSTM}, ["mine", "theirs"]),
        ({"schema_version": 1, "recipes": [entry(7, RNN), entry(5, LSTM, text_loss=5.0)]}, ["r5", "r7"]),
    ):
        document = read_catalogue_document(write(tmp_path / "mine.json", value))
        recipes = catalogue_recipes(document, "mine.json")
        assert [recipe.name for recipe in recipes] == names
        assert {recipe.genotype for recipe in recipes} == {reference_recipe("rnn"), reference_recipe("lstm")}


def test_recipes_that_differ_in_names_and_order_are_one() -> None:
    other = {"h_new_0": {"op": "activation_tanh", "input": ["g"]}, "g": {"op": "linear", "input": ["h_prev_0", "x"]}}
    recipes = [entry(9, RNN, text_loss=6.0), entry(4, other, ids=[4, 12], text_loss=5.5), entry(2, LSTM)]
    merged = catalogue_recipes({"schema_version": 1, "recipes": recipes}, "mine.json")
    assert [(recipe.name, recipe.ids, recipe.text_loss) for recipe in merged] == [
        ("r4", (4, 9, 12), 5.5),
        ("r2", (2,), None),
    ]


def test_the_faults_of_all_recipes_are_one_list(tmp_path: Path) -> None:
    first = '{"h_new_0": {"op": "linear", "input": ["y"]}}'
    second = '{"a": {"op": "linear", "input": ["x"]}, "a": {"op": "linear", "input": ["x"]}, "h_new_0": 3}'
    path = write(tmp_path / "mine.json", f'{{"one": {first}, "two": {second}, "three": {json.dumps(RNN)}}}')
    with pytest.raises(SettingsError, match=r"mine\.json: two definitions of 'two\.a'; keep one; recipe 'one'") as why:
        read_catalogue_document(path)
    assert len(why.value.problems) == 3
    assert why.value.problems[1].startswith("recipe 'one': node 'h_new_0' reads 'y', but nothing defines it")
    assert any(problem.startswith("recipe 'two': node 'h_new_0' must be") for problem in why.value.problems)


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (RNN, r"a single recipe, where a catalogue of several is expected; write it as \[recipe\]"),
        (3, "got int, expected a list of recipes, an object name -> recipe"),
        ([], "no recipe in it"),
        ({"": RNN}, "recipe '': a name has 1 to 100 printable characters"),
        ({"schema_version": 1, "recipes": [entry(7, RNN), entry(7, LSTM)]}, "recipe 'r7': two recipes have this id"),
        ({"schema_version": 2, "recipes": [entry(7, RNN)]}, "schema_version: got 2, must be 1"),
        ({"schema_version": 1, "recipes": [entry(7, RNN, loss=5.0)]}, "unknown key 'recipes.0.loss'"),
        ({"schema_version": 1, "recipes": [entry(-7, RNN)]}, "recipes.0.id: got -7, must be at least 0"),
    ],
)
def test_a_file_that_is_no_catalogue_says_why(tmp_path: Path, value: object, fault: str) -> None:
    with pytest.raises(SettingsError, match=rf"mine\.json: .*{fault}"):
        read_catalogue_document(write(tmp_path / "mine.json", value))
    with pytest.raises(SettingsError, match=rf"^here: .*{fault}"):
        catalogue_recipes(value, "here")


def test_recipes_are_checked_where_the_document_has_other_faults() -> None:
    document = {"schema_version": 2, "recipes": [entry(-7, RNN), entry(1, {"h_new_0": {"op": "linear", "input": []}})]}
    with pytest.raises(
        SettingsError, match=r"schema_version: got 2.*recipes\.0\.id.*recipes\.1: .*linear has 0 inputs"
    ):
        catalogue_recipes(document, "here")


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ([RNN, LSTM], 2), ({"mine": RNN}, 1), ({"schema_version": 1, "recipes": [entry(1, RNN)] * 3}, 3),
        ([RNN, 5], 2), (RNN, 0), ([], 0), ({}, 0), ([1], 0), (None, 0), ({"kind": "cnn_cell"}, 0),
    ],
)  # fmt: skip
def test_what_looks_like_a_catalogue_has_a_size(value: object, size: int) -> None:
    assert catalogue_size(value) == size


def test_the_facts_of_a_catalogue_count_recipes_distinct_ones_and_states() -> None:
    assert catalogue_facts([RNN, RNN, LSTM]) == "3 recipes, 2 distinct; hidden states: 1, 2"
    assert catalogue_facts([RNN]) == "1 recipe, 1 distinct; hidden states: 1"


def test_a_missing_catalogue_is_a_mistake_of_settings(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.json: no such catalogue"):
        read_catalogue_document(tmp_path / "none.json")


def test_every_operation_of_the_catalogue_is_known(shipped: dict[str, Any]) -> None:
    assert {node["op"] for recipe in shipped["recipes"] for node in recipe["recipe"].values()} == set(RNN_OPS)
