"""Schemas agree with the records that read the files: what ships is valid, and what is wrong is wrong in both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from audionas import shipped
from audionas.errors import RunError, SettingsError
from audionas.experiment.checking import check_file
from audionas.features import PRESETS
from audionas.models.baselines import BASELINES
from audionas.search.algorithms import ALGORITHMS, setting_defaults
from audionas.search.setting_texts import setting_texts
from audionas.spaces import SPACES
from audionas.yaml_schemas import SCHEMAS, schema_text, write_schema

ROOT = Path(__file__).parent.parent.parent
SHIPPED = [
    *(("space", shipped.find("search_spaces", name)) for name in shipped.names("search_spaces")),
    *(("strategy", shipped.find("strategies", name)) for name in shipped.names("strategies")),
    *(("augmentation", shipped.find("augmentations", name)) for name in shipped.names("augmentations")),
    *(("features", path) for path in sorted((ROOT / "benchmarks" / "features").glob("*.yaml"))),
]
VALIDATORS = {what: Draft202012Validator(json.loads(schema_text(what))) for what in SCHEMAS}

SPACE = "{kind: cnn_cell, nodes: 2, ops: [none, skip_connect]}"
STRATEGY = "{algorithm: darts, parts: {weights: 0.5, alphas: 0.5}}"


def errors(what: str, document: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in VALIDATORS[what].iter_errors(document)]


@pytest.mark.parametrize("what", SCHEMAS)
def test_the_schemas_of_the_repository_are_those_of_the_code(what: str) -> None:
    committed = (ROOT / "schemas" / f"{what}.json").read_text(encoding="utf-8")
    assert committed == schema_text(what), f"run: audionas schema {what} --out schemas/{what}.json"


@pytest.mark.parametrize("what", SCHEMAS)
def test_a_schema_is_one_of_its_dialect(what: str) -> None:
    Draft202012Validator.check_schema(json.loads(schema_text(what)))


@pytest.mark.parametrize(("what", "path"), SHIPPED, ids=lambda value: getattr(value, "name", value))
def test_every_shipped_yaml_is_valid(what: str, path: Path) -> None:
    assert errors(what, yaml.safe_load(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_of_features_is_valid(name: str) -> None:
    assert errors("features", PRESETS[name]) == []


@pytest.mark.parametrize(("what", "path"), [pair for pair in SHIPPED if pair[0] in ("space", "strategy")],
                         ids=lambda value: getattr(value, "name", value))  # fmt: skip
def test_the_first_line_of_a_shipped_yaml_names_its_schema(what: str, path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first == f"# yaml-language-server: $schema=../schemas/{what}.json"
    assert (path.parent / f"../schemas/{what}.json").is_file()


def test_valid_examples_of_what_yaml_allows() -> None:
    for what, text in (
        ("space", SPACE),
        ("space", "{kind: cnn_cell, nodes: 2, ops: [glu_3x3, none], macro: {reduction_at: [1/3, 0.5, 0]}}"),
        ("space", "{kind: recurrent_catalogue, catalogue: my.json, features: pretrained:some/model@3}"),
        ("space", "{kind: baseline, baseline: lstm, features: log_mel_frames, options: {hidden: [8, 16]}}"),
        ("strategy", STRATEGY),
        ("strategy", "{algorithm: darts, parts: {weights: 1, alphas: dev}}"),
        ("strategy", "{algorithm: tpe, parts: {train: 0.5, validation: 0.5, unused: auto}, augment: speech}"),
        ("strategy", "{algorithm: tpe, parts: {train: 1, validation: 1}, augment: {gain: {}}, warm_start: {take: 3}}"),
        ("features", "{extractor: log_mel, n_mels: 40, sample_rate_hz: auto}"),
        ("augmentation", "{noise: {snr_db: [5, 10]}}"),
    ):
        assert errors(what, yaml.safe_load(text)) == [], text


BROKEN = [
    ("space", "{nodes: 2, ops: [skip_connect, none]}"),
    ("space", "{kind: cnn_sell, nodes: 2, ops: [skip_connect, none]}"),
    ("space", "{kind: cnn_cell, ops: [skip_connect, none]}"),
    ("space", "{kind: cnn_cell, nodes: 0, ops: [skip_connect, none]}"),
    ("space", "{kind: cnn_cell, nodes: 2, ops: [skip_connect]}"),
    ("space", "{kind: cnn_cell, nodes: 2, ops: [skip_connect, skip_connect]}"),
    ("space", "{kind: cnn_cell, nodes: 2, ops: [skip_connect, sep_conv_9x9]}"),
    ("space", "{kind: cnn_cell, nodes: 2, ops: [skip_connect, none], name: mine}"),
    ("space", "{kind: cnn_cell, nodes: 2, ops: [skip_connect, none], nodez: 2}"),
    ("space", "{kind: cnn_cell, nodes: 2, ops: [skip_connect, none], features: log_mal}"),
    ("space", "{kind: cnn_cell, nodes: 2, ops: [skip_connect, none], macro: {channel: 2}}"),
    ("space", "{kind: cnn_cell, nodes: 2, ops: [skip_connect, none], macro: {reduction_at: [half]}}"),
    ("space", "{kind: cnn_cell, nodes: 2, ops: [skip_connect, none], macro: {pooling: median}}"),
    ("space", "{kind: recurrent_cell, states: 4}"),
    ("space", "{kind: recurrent_cell, ops: [blend]}"),
    ("space", "{kind: recurrent_cell, nodes: {max: 1}}"),
    ("space", "{kind: recurrent_cell, nodes: {linear_inputs: [3]}}"),
    ("space", "{kind: recurrent_cell, macro: {causal: true, bidirectional: true}}"),
    ("space", "{kind: darts_recurrent, nodes: {max: 17}}"),
    ("space", "{kind: recurrent_catalogue, catalogue: nas_bench_npl}"),
    ("space", "{kind: baseline, features: log_mel, baseline: lsmt, options: {hidden: [8]}}"),
    ("space", "{kind: baseline, features: log_mel, baseline: lstm, options: {}}"),
    ("space", "{kind: baseline, features: log_mel, baseline: lstm, options: {hiden: [8]}}"),
    ("space", "{kind: baseline, features: log_mel, baseline: lstm, settings: {dropout: 2}, options: {hidden: [8]}}"),
    ("space", "{kind: cnn_macro, options: {n_cells: [2]}}"),
    ("space", "{kind: cnn_macro, cells: {normal: [[none, 0]], reduce: [[none, 0]]}, options: {n_cells: [2]}}"),
    ("space", "[cnn_cell]"),
    ("strategy", "{parts: {weights: 0.5, alphas: 0.5}}"),
    ("strategy", "{algorithm: dart, parts: {weights: 0.5, alphas: 0.5}}"),
    ("strategy", "{algorithm: darts}"),
    ("strategy", "{algorithm: darts, parts: {weights: 0.5}}"),
    ("strategy", "{algorithm: darts, parts: {weights: 0, alphas: 0.5}}"),
    ("strategy", "{algorithm: darts, parts: {weights: 0.5, alphas: 2}}"),
    ("strategy", "{algorithm: darts, parts: {weights: auto, alphas: 0.5}}"),
    ("strategy", "{algorithm: darts, parts: {train: 0.5, validation: 0.5}}"),
    ("strategy", "{algorithm: tpe, parts: {weights: 0.5, alphas: 0.5}}"),
    ("strategy", "{algorithm: darts, parts: {weights: 0.5, alphas: 0.5}, settings: {gamma: 1.0}}"),
    ("strategy", "{algorithm: darts, parts: {weights: 0.5, alphas: 0.5}, settings: {arc_beta1: 1.5}}"),
    ("strategy", "{algorithm: darts, parts: {weights: 0.5, alphas: 0.5}, settings: {arc_beta1: high}}"),
    ("strategy", "{algorithm: darts, parts: {weights: 0.5, alphas: 0.5}, settings: {collapse_skips: 0.5}}"),
    ("strategy", "{algorithm: darts, parts: {weights: 0.5, alphas: 0.5}, inner_folds: 3}"),
    ("strategy", "{algorithm: darts, parts: {weights: 0.5, alphas: 0.5}, warm_start: {take: 3}}"),
    ("strategy", "{algorithm: darts, parts: {weights: 0.5, alphas: 0.5}, name: mine}"),
    ("strategy", "{algorithm: darts, parts: {weights: 0.5, alphas: 0.5}, batch_size: 1}"),
    ("strategy", "{algorithm: darts, parts: {weights: 0.5, alphas: 0.5}, alpha_reach: 0}"),
    ("strategy", "{algorithm: darts, parts: {weights: 0.5, alphas: 0.5}, recipe: {optimizer: sgd}}"),
    ("strategy", "{algorithm: darts, parts: {weights: 0.5, alphas: 0.5}, recipe: {augmentation: {time_mask: 2}}}"),
    ("strategy", "{algorithm: darts, parts: {weights: 0.5, alphas: 0.5}, class_weighting: some}"),
    ("strategy", "{algorithm: tpe, parts: {train: 0.5, validation: 0.5}, inner_folds: 1}"),
    ("strategy", "{algorithm: tpe, parts: {train: 0.5, validation: 0.5}, cost_weight: 0.1}"),
    ("strategy", "{algorithm: tpe, parts: {train: 0.5, validation: 0.5}, budget: {trials: 0}}"),
    ("strategy", "{algorithm: tpe, parts: {train: 0.5, validation: 0.5}, objective: accuracy}"),
    ("strategy", "{algorithm: tpe, parts: {train: 0.5, validation: 0.5}, augment: {copies: 2}}"),
    ("strategy", "{algorithm: tpe, parts: {train: 0.5, validation: 0.5}, warm_start: {proxy: luck}}"),
    ("strategy", "{algorithm: grid, parts: {train: 0.5, validation: 0.5}, warm_start: {take: 3}}"),
    ("features", "{extractor: log_male}"),
    ("features", "{extractor: log_mel, n_mels: 0}"),
    ("features", "{extractor: log_mel, bands: 40}"),
    ("features", "{extractor: spectrogram, window: round}"),
    ("features", "{extractor: pretrained}"),
    ("features", "{extractor: log_mel, name: mine}"),
    ("augmentation", "{copies: 2}"),
    ("augmentation", "{copies: 0, gain: {}}"),
    ("augmentation", "{copies: 1, gain: {gain: [1, 2]}}"),
    ("augmentation", "{copies: 1, noise: {snr_db: [1, 2, 3]}}"),
    ("augmentation", "{copies: 1, noise: {snr_db: [-40, 3]}}"),
    ("augmentation", "{copies: 1, background_noise: {}}"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "text"), BROKEN)
def test_what_is_broken_is_refused_by_the_schema_and_by_check(what: str, text: str, tmp_path: Path) -> None:
    assert errors(what, yaml.safe_load(text)), "the schema lets it pass"
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    assert check_file(path).errors, "check lets it pass"


# Rules between several keys, which JSON Schema cannot say: only `check` tells them.
TOLD_BY_CHECK_ONLY = [
    ("space", "{kind: recurrent_cell, states: 2, nodes: {max: 3}}"),
    ("space", "{kind: cnn_cell, nodes: 2, ops: [skip_connect, none], features: nowhere.yaml}"),
    ("strategy", "{algorithm: zero_cost, parts: {train: 1, validation: 1}, settings: {draws: 5}, budget: {trials: 9}}"),
    ("features", "{extractor: log_mel, frames: 64, pool: 2}"),
    ("augmentation", "{copies: 1, noise: {snr_db: [9, 3]}}"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "text"), TOLD_BY_CHECK_ONLY)
def test_rules_between_keys_are_told_by_check_only(what: str, text: str, tmp_path: Path) -> None:
    assert errors(what, yaml.safe_load(text)) == []
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    assert check_file(path).errors


def test_the_tables_of_the_code_stand_in_the_schemas() -> None:
    space, strategy = (json.loads(schema_text(what)) for what in ("space", "strategy"))
    assert space["properties"]["kind"]["enum"] == list(SPACES)
    assert space["$defs"]["kind:baseline"]["properties"]["baseline"]["enum"] == list(BASELINES)
    assert strategy["properties"]["algorithm"]["enum"] == list(ALGORITHMS)
    for case in strategy["allOf"]:
        name = case["if"]["properties"]["algorithm"]["const"]
        settings = case["then"]["properties"]["settings"]["properties"]
        assert {key: setting["default"] for key, setting in settings.items()} == setting_defaults(name)
        assert all(setting["description"] for setting in settings.values()), name


def test_every_setting_of_every_algorithm_has_a_text() -> None:
    for name in ALGORITHMS:
        texts = setting_texts(name)
        assert all(texts.get(key) for key in setting_defaults(name)), name


def test_an_unknown_schema_and_a_place_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"unknown schema 'spaces' \(did you mean 'space'\?\); known: augmentation"):
        schema_text("spaces")
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot write"):
        write_schema("space", tmp_path / "file" / "space.json")
