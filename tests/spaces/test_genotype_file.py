"""Genotype files come back as written; anything else is one GenotypeError line, and nothing is run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audionas.errors import GenotypeError
from audionas.spaces import CnnGenotype, RecurrentGenotype, RecurrentMacro
from audionas.spaces.darts_text import from_darts_text
from audionas.spaces.genotype_file import (
    genotype_document,
    load_genotype,
    read_genotype_file,
    save_genotype,
)  # fmt: skip
from audionas.spaces.reference_recipes import reference_recipe
from tests.spaces.genotypes import DARTS_V2, genotypes

GENOTYPE = from_darts_text(DARTS_V2)
provenances = st.dictionaries(
    st.sampled_from(["seed", "labels", "Straße"]), st.lists(st.sampled_from(['Ärger, "x"\n', "喜び", 1, 0.5, None]))
)


def refused(path: Path, content: str | bytes, words: str) -> str:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(GenotypeError, match=words) as error:
        load_genotype(path)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(f"{path}: ")
    return str(error.value)


def edited(change: Callable[[dict[str, Any]], object]) -> str:
    document = genotype_document(GENOTYPE)
    change(document)
    return json.dumps(document)


@given(genotypes(), provenances)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_what_is_written_comes_back(tmp_path: Path, genotype: CnnGenotype, provenance: dict[str, Any]) -> None:
    save_genotype(genotype, tmp_path / "g.json", provenance)
    found = read_genotype_file(tmp_path / "g.json")
    assert (found.genotype, found.provenance) == (genotype, provenance)


def test_provenance_is_outside_the_hash() -> None:
    documents = [genotype_document(GENOTYPE, provenance) for provenance in ({}, {"seed": 1})]
    assert documents[0]["hash"] == documents[1]["hash"]
    assert documents[0] != documents[1]


def test_the_file_is_the_documented_json(tmp_path: Path) -> None:
    save_genotype(GENOTYPE, tmp_path / "g.json", {"seed": 3})
    document = json.loads((tmp_path / "g.json").read_text(encoding="utf-8"))
    assert set(document) == {"schema_version", "kind", "space", "cells", "macro", "hash", "provenance"}
    assert document["cells"]["normal"][:2] == [["sep_conv_3x3", 0], ["sep_conv_3x3", 1]]
    assert document["cells"]["normal_concat"] == [2, 3, 4, 5]


def test_a_missing_file_and_a_folder_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(GenotypeError, match="no such genotype file"):
        load_genotype(tmp_path / "no.json")
    with pytest.raises(GenotypeError, match="not a genotype file: not a regular file"):
        load_genotype(tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_file_is_refused(tmp_path: Path, share: float) -> None:
    text = json.dumps(genotype_document(GENOTYPE))
    refused(tmp_path / "g.json", text[: int(share * len(text))], "not valid JSON")


def test_a_file_above_one_megabyte_is_refused_unread(tmp_path: Path) -> None:
    text = edited(lambda d: d["provenance"].update(x="a" * 1_000_000))
    refused(tmp_path / "g.json", text, "a genotype file has at most 1000000")


@pytest.mark.parametrize(
    "content",
    [
        "!!python/object/apply:os.mkdir [executed]",
        "__import__('os').mkdir('executed')",
        "Genotype(normal=[], normal_concat=__import__('os').mkdir('executed'))",
        "kind: cnn_cell\nnormal: &a [*a]",
        b"\x80\x04\x95\x1f\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94\x8c\x05mkdir\x94\x93\x94\x8c\x08executed\x94\x85\x94R\x94.",
        "[" * 200_000,
        '{"a":' * 100_000,
        '{"x": NaN}',
        '{"x": 1e400}',
        '{"x": ' + "9" * 5000 + "}",
        "\x00" * 100,
        b"\xff\xfe" + json.dumps({}).encode("utf-16-le"),
    ],
    ids=[
        "yaml tag", "python", "call", "yaml alias", "pickle", "deep list", "deep object", "nan", "overflow",
        "huge integer", "nul", "utf-16",
    ],
)  # fmt: skip
def test_hostile_content_is_refused_and_never_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(refused(tmp_path / "g.json", content, "not a genotype file")) < 500
    assert [path.name for path in tmp_path.iterdir()] == ["g.json"]


@pytest.mark.parametrize("content,kind", [("[]", "list"), ("1", "int"), ('"x"', "str"), ("null", "NoneType")])
def test_json_that_is_no_object_is_refused(tmp_path: Path, content: str, kind: str) -> None:
    refused(tmp_path / "g.json", content, f"expected a JSON object, got {kind}")


def cells(**changes: Any) -> str:
    return edited(lambda d: d["cells"].update(changes))


@pytest.mark.parametrize(
    "content,words",
    [
        ("{}", "not a genotype file: key 'kind' is missing"),
        (edited(lambda d: d.update(schema_version=2)), "schema_version: got 2, must be 1"),
        (edited(lambda d: d.update(kind="rnn")), "unknown kind 'rnn'; known: baseline, cnn_cell, recurrent_cell"),
        (edited(lambda d: d.update(extra=1)), "unknown key 'extra'"),
        (edited(lambda d: d["cells"].pop("reduce")), "key 'cells.reduce' is missing"),
        (edited(lambda d: d["macro"].update(channels=0)), "macro.channels: got 0"),
        (edited(lambda d: d["macro"].update(n_cells=10**30)), "macro.n_cells: got 1000000"),
        (cells(normal=[]), "cells.normal: .*at least 1"),
        (cells(normal=[["sep_conv_3x3", 0]] * 300), "cells.normal: .*at most 256"),
        (cells(normal=[["sep_conv_3x3"]]), "cells.normal.0"),
        (cells(normal=[["sep_conv_3x3", "zero"], ["sep_conv_3x3", 1]]), "cells.normal.0.1: got 'zero'"),
        (cells(normal=[["sep_conv_3x3", -1], ["sep_conv_3x3", 1]]), "cells.normal.0.1: got -1"),
        (cells(normal=[["sep_conv_3x3", 10**50], ["sep_conv_3x3", 1]]), "cells.normal.0.1"),
        (cells(normal=[[["a"], 0], ["sep_conv_3x3", 1]]), "cells.normal.0.0"),
        (cells(normal={"a": 1}), "cells.normal"),
        (cells(edges_per_node=0), "cells.edges_per_node: got 0"),
        (
            cells(normal=[["sep_cnv_3x3", 0], ["sep_conv_3x3", 1]]),
            r"normal cell: unknown operation 'sep_cnv_3x3' \(did you mean 'sep_conv_3x3'\?\)",
        ),
        (cells(reduce=[["none", 0], ["sep_conv_3x3", 1]]), "reduce cell: unknown operation 'none'"),
        (cells(normal=[["sep_conv_3x3", 0], ["sep_conv_3x3", 2]]), "node 2 takes input 2, must be 0 to 1"),
        (cells(normal=[["sep_conv_3x3", 0]]), r"node 2 has 1 edge\(s\)"),
        (cells(normal_concat=[6]), "normal cell: output node 6, must be 2 to 5"),
        (cells(reduce_concat=[0, 2]), "reduce cell: output node 0, must be 2 to 5"),
        (cells(normal_concat=[]), "cells.normal_concat"),
    ],
)
def test_a_malformed_document_is_one_line_that_names_the_place(tmp_path: Path, content: str, words: str) -> None:
    refused(tmp_path / "g.json", content, words)


def test_edited_cells_do_not_fit_the_hash(tmp_path: Path) -> None:
    normal = [list(edge) for edge in GENOTYPE.normal]
    normal[0][0] = "skip_connect"
    refused(tmp_path / "g.json", cells(normal=normal), "the hash does not fit the cells")
    refused(tmp_path / "g.json", edited(lambda d: d["macro"].update(channels=7)), "the hash does not fit the cells")


def test_a_file_without_a_hash_is_taken(tmp_path: Path) -> None:
    (tmp_path / "g.json").write_text(edited(lambda d: d.pop("hash")))
    assert load_genotype(tmp_path / "g.json") == GENOTYPE


# --- recurrent genotypes ---


def recurrent(name: str = "lstm") -> RecurrentGenotype:
    return reference_recipe(name).within(RecurrentMacro(n_layers=2, hidden=16, pooling="mean"), "mine")


def test_a_recurrent_genotype_comes_back_with_macro_space_and_provenance(tmp_path: Path) -> None:
    path = tmp_path / "g.json"
    save_genotype(recurrent(), path, {"split_left_out": "3F", "input_shape": [1, 40, 90]})
    found = read_genotype_file(path)
    assert found.genotype == recurrent()
    assert found.genotype.space == "mine"
    assert found.provenance == {"split_left_out": "3F", "input_shape": [1, 40, 90]}
    assert json.loads(path.read_text())["kind"] == "recurrent_cell"


def test_the_hash_tells_recipes_and_surroundings_apart_but_not_names() -> None:
    renamed = {
        name.replace("i_act", "candidate"): {
            "op": node["op"],
            "input": [source.replace("i_act", "candidate") for source in node["input"]],
        }
        for name, node in recurrent().to_recipe().items()
    }
    other = RecurrentGenotype.from_recipe(renamed).within(recurrent().macro)
    assert other.hash == recurrent().hash
    assert recurrent("gru").hash != recurrent().hash
    assert recurrent().within(RecurrentMacro(hidden=8)).hash != recurrent().hash
    assert recurrent().within(RecurrentMacro(hidden=8)).recipe_hash == recurrent().recipe_hash


def test_a_bare_recipe_is_a_genotype_with_default_surroundings(tmp_path: Path) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(recurrent().to_recipe()))
    found = read_genotype_file(path)
    assert found.genotype == reference_recipe("lstm")
    assert found.provenance == {}


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ('{"h_new_0": {"op": "activation_tanh", "input": ["a"]}, "a": {"op": "linear", "input": ["x", "h_new_0"]}}',
         "nodes form a cycle: a -> h_new_0 -> a"),
        ('{"h_new_0": {"op": "activation_tanh", "input": ["nobody"]}}', "reads 'nobody', but nothing defines it"),
        ('{"h_new_0": {"op": "blend", "input": ["x", "h_prev_0"]}}', "blend has 2 inputs, takes 3"),
        ('{"h_new_0": {"op": "linear", "input": ["x"]}, "h_new_0": {"op": "linear", "input": ["h_prev_0"]}}',
         "two definitions of 'h_new_0'"),
        ('{"h_new_0": {"op": "conv", "input": ["x"]}}', "unknown operation 'conv'"),
        ('{"h_new_1": {"op": "linear", "input": ["x"]}}', "h_new_0 is missing: outputs are numbered from 0"),
        ('{"h_new_0": {"op": "elementwise_sum", "input": ["x", "h_prev_0"]}}', "reads 'x', which only linear can"),
        ('{"h_new_00": {"op": "linear", "input": ["x"]}}', "no output: at least h_new_0 must be defined"),
    ],
)  # fmt: skip
def test_every_fault_of_a_recipe_file_is_one_line(tmp_path: Path, recipe: str, words: str) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(recipe)
    with pytest.raises(GenotypeError, match=f"^{re.escape(str(path))}: .*{words}") as error:
        read_genotype_file(path)
    assert "\n" not in str(error.value)


def test_a_catalogue_is_no_genotype_and_says_what_to_do(tmp_path: Path) -> None:
    recipe = recurrent().to_recipe()
    for value in ([recipe, recipe], {"one": recipe, "two": recipe}, {"recipes": [{"id": 1, "recipe": recipe}] * 2}):
        words = "a catalogue of 2 recipes; give one of them in a file of its own, or search it with a YAML of kind: rec"
        refused(tmp_path / "mine.json", json.dumps(value), words)


def test_a_deep_file_says_so(tmp_path: Path) -> None:
    refused(tmp_path / "deep.json", "[" * 200_000, "not a genotype file: nested too deeply$")


def test_keys_that_stand_twice_and_other_faults_are_named_together(tmp_path: Path) -> None:
    document = json.dumps(genotype_document(recurrent().within(RecurrentMacro(hidden=77))))
    text = document.replace('"space"', '"space": "a", "space"').replace("77", "0")
    refused(tmp_path / "g.json", text, "two definitions of 'space'; keep one; macro.hidden: got 0")
    refused(
        tmp_path / "r.json",
        '{"a": {"op": "add", "input": ["x"]}, "a": {"op": "add", "input": ["y"]}, "h_new_1": 3}',
        "two definitions of 'a'; keep one; node 'h_new_1' must be .*'add'.*'y', but nothing.*h_new_0 is missing",
    )


def test_faults_inside_a_genotype_file_are_found_too(tmp_path: Path) -> None:
    document = genotype_document(recurrent())
    for change, words in (
        ({"recipe": {"h_new_0": {"op": "linear", "input": ["y"]}}}, "reads 'y', but nothing defines it"),
        ({"macro": {"hidden": 0}}, "macro.hidden: got 0, must be at least 1"),
        ({"macro": {"pooling": "median"}}, "macro.pooling: got 'median', must be"),
        ({"recipe": reference_recipe("gru").to_recipe()}, "the hash does not fit the cells"),
    ):
        path = tmp_path / "g.json"
        path.write_text(json.dumps(document | change))
        with pytest.raises(GenotypeError, match=words):
            read_genotype_file(path)
