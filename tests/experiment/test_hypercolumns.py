"""`audionas hypercolumns`: levels of a pre-trained encoder under plain classifiers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from audionas.errors import AudionasError
from audionas.experiment.hypercolumns import HypercolumnRequest, hypercolumns, resume_hypercolumns
from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.pretrain import PretrainRequest, pretrain
from audionas.training.predictions import Predictions
from audionas.training.pretraining import PretrainingPlan
from tests.experiment.conftest import make_tiny_corpus

pytestmark = pytest.mark.slow

BY_SPEAKER = PrepareOptions(group_from="^(s[0-9])", folds="2")
SIZES = {"width": 4, "n_heads": 2, "inner": 3}


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hypercolumns `h1` and `h_concat` of a pre-training of one epoch on the tiny corpus."""
    folder = tmp_path_factory.mktemp("hypercolumns")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AUDIONAS_CACHE", str(folder / "cache"))
        corpus = make_tiny_corpus(folder)
        pretrain(PretrainRequest(
            (corpus,), PretrainingPlan(epochs=1), corpus, sizes=SIZES, threads=1, out=folder / "pre",
            preparation=BY_SPEAKER,
        ))  # fmt: skip
        hypercolumns(asked(folder))
    return folder


def asked(folder: Path, **changes: Any) -> HypercolumnRequest:
    request = HypercolumnRequest(
        folder / "pre", folder / "corpus", ("h1", "h_concat"), ("svm", "attention_lstm"), seeds=1, epochs=1,
        threads=1, out=folder / "out", preparation=BY_SPEAKER,
    )  # fmt: skip
    return replace(request, **changes)


def _json(path: Path) -> Any:
    return json.loads(path.read_text())


def test_each_pair_has_clean_scores_of_all_folds_and_a_cell(made: Path) -> None:
    out = made / "out"
    for level in ("h1", "h_concat"):
        for classifier in ("svm", "attention_lstm"):
            metrics = _json(out / f"{level}_{classifier}" / "metrics.json")
            assert metrics["headline"]["splits"] == ["1", "2"]
            assert metrics["headline"]["n_clips"] == 24
    table = _json(out / "tables.json")["tables"][0]
    assert table["columns"] == ["level", "svm", "attention_lstm", "svm, paper's %", "attention_lstm, paper's %"]
    assert [row[0] for row in table["rows"]] == ["h1", "h_concat"]
    assert [row[3:] for row in table["rows"]] == [["63.92", "64.68"], ["64.11", "65.54"]]
    wa = _json(out / "h1_svm" / "metrics.json")["headline"]["wa"]
    assert table["rows"][0][1] == f"{wa:.3f}"
    assert "| h_concat | " in (out / "tables.md").read_text()


def test_a_split_s_clips_are_scored_by_the_encoder_that_never_met_them(made: Path) -> None:
    features = _json(made / "out" / "run.json")["features"]["h1"]
    assert [Path(features[k]["checkpoint"]).parent.name for k in "12"] == ["split_1", "split_2"]
    found = [Predictions.read(made / "out" / "h1_svm" / f"split_{k}" / "seed_0" / "predictions.csv") for k in "12"]
    assert not set(found[0].groups) & set(found[1].groups)


def test_an_encoder_that_met_them_is_told(made: Path, tmp_path: Path) -> None:
    request = asked(made, pretrained=made / "pre" / "split_1", levels=("h1",), classifiers=("svm",))
    out = hypercolumns(replace(request, out=tmp_path / "one"))
    metrics = _json(out / "h1_svm" / "metrics.json")
    assert {split["name"]: split["seen_by_search"] for split in metrics["splits"]} == {"1": False, "2": True}
    assert metrics["headline"]["splits"] == ["1"]


def test_what_is_scored_is_not_trained_again(made: Path, tmp_path: Path) -> None:
    out = hypercolumns(asked(made, levels=("F", "h1"), classifiers=("svm",), out=tmp_path / "out"))
    before = (out / "tables.md").read_text()
    run = _json(out / "run.json")
    (out / "run.json").write_text(json.dumps(run | {"status": "running"}))
    (out / "h1_svm" / "metrics.json").unlink()
    kept = out / "h1_svm" / "split_1" / "seed_0" / "predictions.csv"
    stamp = kept.stat().st_mtime_ns
    resume_hypercolumns(out)
    assert (out / "tables.md").read_text() == before
    assert kept.stat().st_mtime_ns == stamp


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"classifiers": ("svn",)}, "--classifiers: unknown classifier 'svn' .did you mean 'svm'"),
        ({"levels": ("h3",)}, "unknown level 'h3'"),
        ({"seeds": 0}, "--seeds: got 0, must be 1 or more"),
        ({"pretrained": Path("no_such_place")}, "no such weights; give the weights.safetensors"),
        ({"preparation": PrepareOptions(group_from="^(s[0-9])", folds="3")}, "no split_3/weights.safetensors"),
    ],
)
def test_requests_that_cannot_be_done_are_one_line(
    made: Path, tmp_path: Path, changes: dict[str, Any], text: str
) -> None:
    with pytest.raises(AudionasError, match=text):
        hypercolumns(asked(made, out=tmp_path / "out", **changes))
