"""`audionas retrain --baseline`: a hand-made system under the rules of every retraining."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from audionas.errors import RunError, SettingsError
from audionas.experiment.checking import check_file
from audionas.experiment.evaluate import EvaluateRequest, evaluate
from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.retrain import RetrainRequest, resume_retraining, retrain
from audionas.models.baselines import named_baseline
from audionas.spaces import BaselineGenotype
from audionas.spaces.genotype_file import load_genotype
from tests.experiment.conftest import FEATURES

BY_SPEAKER = PrepareOptions(group_from="^(s[0-9])", folds="3")
SMALL = {"channels": "[2, 2]"}


@pytest.fixture
def request_(tiny_corpus: Path, tmp_path: Path) -> RetrainRequest:
    features = tmp_path / "features.yaml"
    features.write_text(FEATURES)
    return RetrainRequest(
        (), tiny_corpus, str(features), epochs=2, seeds=1, threads=1, out=tmp_path / "out", preparation=BY_SPEAKER,
        baseline=named_baseline("plain_cnn", SMALL), final=True,
    )  # fmt: skip


def _json(path: Path) -> Any:
    return json.loads(path.read_text())


def test_every_fold_is_clean_and_the_file_names_the_system(request_: RetrainRequest) -> None:
    out = retrain(request_)
    metrics = _json(out / "metrics.json")
    assert metrics["headline"]["splits"] == ["1", "2", "3"]
    assert not any(split["seen_by_search"] for split in metrics["splits"])
    assert load_genotype(out / "split_1" / "genotype.json") == BaselineGenotype("plain_cnn", (("channels", (2, 2)),))
    assert check_file(out / "split_1" / "genotype.json").errors == ()
    # by hand: 2 of 1x9 and BN, 2 of 2x9 and BN, 2 classes from 2 channels and biases
    n_classes = len(_json(out / "run.json")["data"]["labels"])
    assert metrics["parameters"] == (18 + 4) + (36 + 4) + n_classes * 3


def test_it_is_resumed_where_it_was(request_: RetrainRequest) -> None:
    out = retrain(request_)
    before = (out / "metrics.json").read_bytes()
    run = _json(out / "run.json")
    (out / "run.json").write_text(json.dumps(run | {"status": "running"}))
    (out / "split_2" / "seed_0" / "result.json").unlink()
    assert resume_retraining(out) == out
    assert (out / "metrics.json").read_bytes() == before


def test_its_genotype_file_trains_another_corpus(request_: RetrainRequest, tmp_path: Path) -> None:
    file = retrain(request_) / "split_1" / "genotype.json"
    again = RetrainRequest((file,), request_.data, epochs=1, seeds=1, threads=1, out=tmp_path / "again",
                           preparation=BY_SPEAKER)  # fmt: skip
    assert load_genotype(retrain(again) / "split_3" / "genotype.json") == load_genotype(file)


def test_its_final_model_is_refused_on_clips_that_it_was_trained_on(request_: RetrainRequest, tmp_path: Path) -> None:
    out = retrain(request_)
    assert request_.data is not None
    with pytest.raises(RunError, match="its networks have been trained on, or chosen with, every group"):
        evaluate(EvaluateRequest(out, request_.data, out=tmp_path / "scores", preparation=BY_SPEAKER))


@pytest.mark.parametrize(
    "name,pairs,words",
    [
        ("plain_cn", {}, "unknown baseline 'plain_cn' (did you mean 'plain_cnn'?)"),
        ("plain_cnn", {"chanels": "3"}, "baseline plain_cnn: unknown key 'chanels' (did you mean 'channels'?)"),
        ("plain_cnn", {"channels": "[4, 0]"}, "channels.1: got 0, must be at least 1"),
    ],
)
def test_a_wrong_name_or_setting_is_one_line(name: str, pairs: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(words)):
        named_baseline(name, pairs)


def test_what_is_for_found_genotypes_is_refused_before_any_work(request_: RetrainRequest) -> None:
    for change, words in (
        ({"macro": {"n_cells": 4}}, "--cells: for found genotypes; plain_cnn is a hand-made system: --set key=value"),
        ({"auxiliary": True}, "--auxiliary is for CNN cells; plain_cnn holds a hand-made system"),
    ):
        with pytest.raises(SettingsError, match=words):
            retrain(RetrainRequest(**{**vars(request_), **change}))
    assert request_.out is not None
    assert not request_.out.exists()


def test_a_file_with_a_setting_that_is_unknown_is_told_by_check_and_retrain(tmp_path: Path) -> None:
    file = tmp_path / "g.json"
    file.write_text(json.dumps({"schema_version": 1, "kind": "baseline", "name": "plain_cnn", "settings": {"a": 1}}))
    assert check_file(file).errors == ("unknown key 'a'; known: channels",)
    with pytest.raises(SettingsError, match=r"g\.json: baseline plain_cnn: unknown key 'a'"):
        retrain(RetrainRequest((file,)))
