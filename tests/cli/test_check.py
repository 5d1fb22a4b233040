"""`audionas check`: what a file is, and all that is wrong with it at once."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from audionas import shipped
from audionas.spaces import load_search_space
from audionas.spaces.darts_text import from_darts_text
from audionas.spaces.genotype_file import save_genotype
from audionas.spaces.reference_recipes import reference_recipe
from tests.cli.running import run
from tests.datasets.iemocap_fixture import lay_out, noise_turns, odd_turns
from tests.spaces.genotypes import DARTS_V2


def test_all_that_is_shipped_is_valid() -> None:
    spaces = [shipped.find("search_spaces", name) for name in shipped.names("search_spaces")]
    strategies = [shipped.find("strategies", name) for name in shipped.names("strategies")]
    found = run("check", *spaces, *strategies)
    assert found.code == 0
    assert found.out.splitlines() == [
        *(f"{path}: a valid search space" for path in spaces), *(f"{path}: a valid strategy" for path in strategies)
    ]  # fmt: skip


def test_every_kind_of_file_is_told_apart(tmp_path: Path, recordings: Path) -> None:
    save_genotype(from_darts_text(DARTS_V2), tmp_path / "g.json")
    (tmp_path / "g.txt").write_text(DARTS_V2)
    (tmp_path / "f.yaml").write_text("extractor: mfcc\n")
    found = run("check", "g.json", "g.txt", "f.yaml", recordings, "--json", cwd=tmp_path)
    assert found.code == 0
    assert [(entry["kind"], entry["errors"]) for entry in json.loads(found.out).values()] == [
        ("genotype", []), ("DARTS text", []), ("feature setting", []), ("data folder", []),
    ]  # fmt: skip


def test_networks_are_told_in_words_where_asked(tmp_path: Path) -> None:
    save_genotype(from_darts_text(DARTS_V2), tmp_path / "g.json")
    (tmp_path / "f.yaml").write_text("extractor: mfcc\n")
    found = run("check", "g.json", "f.yaml", "--describe", cwd=tmp_path)
    assert found.code == 0
    valid, words, other = found.out.splitlines()
    assert valid == "g.json: a valid genotype"
    assert words.startswith("g.json: A convolutional network: a 3x3 stem and 3 cells")
    assert other == "f.yaml: a valid feature setting"
    as_json = json.loads(run("check", "g.json", "--describe", "--json", cwd=tmp_path).out)
    assert as_json["g.json"]["words"] == {"": words.removeprefix("g.json: ")}


def test_recipes_and_catalogues_are_told_apart_and_every_fault_is_named(tmp_path: Path) -> None:
    recipe = reference_recipe("lstm").to_recipe()
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    (tmp_path / "list.json").write_text(json.dumps([recipe, reference_recipe("gru").to_recipe()]))
    (tmp_path / "names.json").write_text(json.dumps({"mine": recipe}))
    (tmp_path / "space.yaml").write_text("kind: recurrent_catalogue\ncatalogue: list.json\nmacro: {hidden: 8}\n")
    found = run("check", "recipe.json", "list.json", "names.json", "space.yaml", "--json", cwd=tmp_path)
    assert [(entry["kind"], entry["errors"]) for entry in json.loads(found.out).values()] == [
        ("recurrent recipe", []), ("catalogue of recipes", []), ("catalogue of recipes", []), ("search space", []),
    ]  # fmt: skip
    text = run("check", "list.json", cwd=tmp_path).out
    assert text == ("list.json: a valid catalogue of recipes\nlist.json: 2 recipes, 2 distinct; hidden states: 1, 2\n")
    faulty = {
        "h_new_0": {"op": "activation_tanh", "input": ["a", "b"]},
        "a": {"op": "linear", "input": ["x", "c"]},
        "c": {"op": "linear", "input": ["a"]},
        "b": {"op": "convolution", "input": ["nobody"]},
    }
    (tmp_path / "faulty.json").write_text(json.dumps(faulty))
    text = run("check", "faulty.json", cwd=tmp_path).out
    for words in (
        "activation_tanh has 2 inputs, takes 1",
        "unknown operation 'convolution'",
        "nodes form a cycle: a -> c -> a",
    ):
        assert words in text


def test_all_errors_of_all_files_are_reported_at_once(tmp_path: Path) -> None:
    (tmp_path / "space.yaml").write_text("kind: cnn_cell\nnode: 2\nnodes: x\nops: [none, skip]\n")
    (tmp_path / "strategy.yaml").write_text(
        "algorithm: darts\nparts: {weights: 0.5, alphas: 0.5}\nbatch_size: 0\nx: 1\n"
    )
    found = run("check", "space.yaml", "strategy.yaml", "--json", cwd=tmp_path)
    assert found.code == 1
    assert found.err == ""
    errors = {name: entry["errors"] for name, entry in json.loads(found.out).items()}
    assert [len(lines) for lines in errors.values()] == [3, 2]
    text = run("check", "space.yaml", "strategy.yaml", cwd=tmp_path).out
    for words in (
        "space.yaml: unknown key 'node' (did you mean 'nodes'?)", "space.yaml: nodes: got 'x'",
        "unknown operation 'skip'", "strategy.yaml: batch_size: got 0", "strategy.yaml: unknown key 'x'",
    ):  # fmt: skip
        assert words in text


def test_a_space_that_its_features_do_not_fit_is_told(tmp_path: Path) -> None:
    (tmp_path / "causal.yaml").write_text(
        "kind: cnn_cell\nfeatures: emotionnas-literal\nnodes: 1\nops: [none, conv_1x5]\nmacro: {causal: true}\n"
    )
    edges = "[[skip_connect, 0], [skip_connect, 1]]"
    (tmp_path / "macro.yaml").write_text(
        f"kind: cnn_macro\nfeatures: log_mel_small\ncells: {{normal: {edges}, reduce: {edges}}}\n"
        "options: {hop_ms: [8, 16]}\n"
    )
    text = run("check", "causal.yaml", "macro.yaml", cwd=tmp_path).out
    assert "causal.yaml: causal: true and features with frames_by: adaptive" in text
    assert "space macro: options: hop_ms: these features have 64 frames" in text


def test_faults_of_a_space_its_features_and_its_catalogue_are_told_with_their_files(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text('[{"h_new_0": {"op": "linear", "input": ["y"]}}, {"h_new_0": 3}]')
    (tmp_path / "s.yaml").write_text(
        "kind: recurrent_catalogue\nname: mine\nfeatures: log_mell\ncatalogue: mine.json\nmacro: {hidden: 0}\n"
    )
    lines = run("check", "s.yaml", cwd=tmp_path).out.splitlines()
    assert len(lines) == 5
    for line, words in zip(
        lines,
        ("key 'name'", "macro.hidden: got 0", "mine.json: recipe 'r0': ", "mine.json: recipe 'r1': ", "'log_mell'"),
        strict=True,
    ):
        assert line.startswith("s.yaml: ")
        assert words in line
    (tmp_path / "s.yaml").write_text("kind: recurrent_catalogue\ncatalogue: no.json\n")
    assert run("check", "s.yaml", cwd=tmp_path).out == f"s.yaml: catalogue: no file 'no.json' in {tmp_path}\n"


def test_what_a_corpus_lacks_is_told(tmp_path: Path) -> None:
    lay_out(tmp_path / "IEMOCAP", [*noise_turns(), *odd_turns()])
    lines = run("check", "IEMOCAP", cwd=tmp_path).out.splitlines()
    assert lines[0] == "IEMOCAP: a valid data folder"
    assert lines[1].startswith("IEMOCAP: 80 of the release's 2,280 utterances of this subset: a partial copy;")
    assert lines[2] == "IEMOCAP: 1 labelled utterance(s) of this subset have no wav file: Ses04F_impro01_F004"


def test_a_file_that_is_nested_too_deeply_says_so(tmp_path: Path) -> None:
    (tmp_path / "deep.json").write_text("[" * 200_000)
    assert run("check", "deep.json", cwd=tmp_path).out == "deep.json: not a JSON file: nested too deeply\n"


@pytest.mark.parametrize(
    "name,content,words",
    [
        ("none.yaml", None, "none.yaml: no such file"),
        ("a.yaml", "a: [", "not valid YAML"),
        ("a.yaml", "a: 1", "has none of the keys kind .a space., algorithm"),
        ("a.yaml", "", "expected a YAML mapping"),
        ("a.yaml", b"\xff\xfe", "codec can't decode"),
        ("a.yaml", "kind: rnn", "unknown kind 'rnn'"),
        ("a.yaml", "extractor: mfc", "unknown extractor 'mfc' .did you mean 'mfcc'"),
        ("g.json", "{", "not valid JSON"),
        ("g.txt", "import os", "not DARTS text"),
        ("m.csv", "a,b\n1,2\n", "column"),
        ("p.png", "x", "cannot tell what .png is"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line_and_exit_one(
    tmp_path: Path, name: str, content: str | bytes | None, words: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    found = run("check", name, cwd=tmp_path)
    assert (found.code, found.err) == (1, "")
    assert len(found.out.splitlines()) == 1
    assert found.out.startswith(f"{name}: ")
    assert re.search(words, found.out), found.out


def test_a_valid_space_is_what_search_takes(tmp_path: Path) -> None:
    source = shipped.find("search_spaces", "darts_cnn_small").read_text(encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(source.replace("nodes: 2", "nodes: 3"))
    assert run("check", "mine.yaml", cwd=tmp_path).out == "mine.yaml: a valid search space\n"
    assert load_search_space(tmp_path / "mine.yaml").nodes == 3
