"""Other networks on the page of a run: trained under the same rules, scored on the same folds, or not shown."""

from __future__ import annotations

import json
import re
import shutil
from html import unescape
from pathlib import Path
from statistics import mean
from typing import Any

import pandas as pd
import pytest
from sklearn.metrics import recall_score

from audionas.errors import RunError, SettingsError
from audionas.experiment.finished_runs import finished_run
from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.report_page import beside, report_page
from audionas.experiment.retrain import RetrainRequest, retrain
from audionas.experiment.verify import verify
from audionas.models.baselines import named_baseline
from tests.experiment.conftest import FEATURES

SMALL = {"channels": "[2, 2]"}


def _text(page: Path) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.read_text(encoding="utf-8"))))


def _system(data: Path, folder: Path, **changes: Any) -> Path:
    features = folder / "own_features.yaml"
    features.write_text(FEATURES.replace("n_mels: 8", "n_mels: 10"))
    fields: dict[str, Any] = {
        "features": str(features), "epochs": 2, "seeds": 2, "threads": 1, "baseline": named_baseline("plain_cnn", SMALL)
    }  # fmt: skip
    return retrain(RetrainRequest((), data, **(fields | changes)))


@pytest.fixture(scope="module")
def both(_searched_once: Path, retrained_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished search with its retraining, and a hand-made network on its clips and folds; nobody changes it."""
    folder = tmp_path_factory.mktemp("both")
    run = Path(shutil.copytree(_searched_once, folder / "run"))
    shutil.copytree(retrained_once, run / "retrained")
    assert _system(run, folder) == run / "baselines_retrained" / "plain_cnn"
    return run


@pytest.fixture
def run(both: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(both, tmp_path / "run"))


def _by_hand(folder: Path, seed: int, splits: list[str]) -> float:
    tables = [pd.read_csv(folder / f"split_{split}" / f"seed_{seed}" / "predictions.csv") for split in splits]
    table = pd.concat(tables)
    table = table[table["part"] == "test"]
    return float(recall_score(table["label"], table["predicted"], average="macro"))


def test_a_hand_made_network_on_the_clips_of_a_run_has_its_folds_and_lies_inside_it(both: Path) -> None:
    inside = both / "baselines_retrained" / "plain_cnn"
    assert (inside / "manifest.csv").read_bytes() == (both / "retrained" / "manifest.csv").read_bytes()
    assert verify(both).mismatches == []
    with pytest.raises(SettingsError, match="a run's own folds are fixed"):
        _system(both, both.parent, preparation=PrepareOptions(folds="2"))


def test_what_lies_in_baselines_retrained_stands_on_the_page_scored_on_the_headline_s_folds(both: Path) -> None:
    scored = finished_run(both / "retrained")
    assert scored.scores["splits"] == ["1"], "the search has read the others"
    found = beside(scored, both / "baselines_retrained" / "plain_cnn")
    by_hand = [_by_hand(both / "baselines_retrained" / "plain_cnn", seed, ["1"]) for seed in (0, 1)]
    assert [scores["ua"] for scores in found.each] == pytest.approx(by_hand)
    page = _text(report_page(both, out=both.parent / "page.html"))
    assert "The network trained beside it under the same rules, plain_cnn, reaches UA" in page
    assert f"plain_cnn {mean(by_hand):.3f} ± " in page
    assert f" {18 + 4 + 36 + 4 + 2 * 3} " in page, "its parameters"
    assert "Hand-made networks stand here" not in page


def test_named_runs_stand_there_too_and_each_once(run: Path, tmp_path: Path) -> None:
    other = shutil.move(run / "baselines_retrained" / "plain_cnn", tmp_path / "elsewhere")
    page = report_page(run, [Path(other)], tmp_path / "page.html")
    assert "plain_cnn, reaches UA" in _text(page)
    for twice in ([Path(other), Path(other)], [run], [run / "retrained"]):
        with pytest.raises(SettingsError, match="given twice; name each run once"):
            report_page(run, twice)


def test_a_page_without_them_says_how_to_train_them(run: Path, tmp_path: Path) -> None:
    shutil.rmtree(run / "baselines_retrained")
    page = _text(report_page(run, out=tmp_path / "page.html"))
    assert f"audionas retrain --baseline NAME {run} --epochs 2 --seeds 2, with what else" in page
    assert "NAME is one of attention_pooling_cnn, bigru," in page
    assert "functionals + SVM" in page


def test_a_network_of_other_rules_is_refused_where_named_and_told_where_found(run: Path, tmp_path: Path) -> None:
    place = run / "baselines_retrained" / "plain_cnn"
    record = json.loads((place / "run.json").read_text())
    (place / "run.json").write_text(json.dumps(record | {"epochs": 3}))
    with pytest.raises(RunError, match=r"cannot stand beside .*, they differ in epochs: 2 in .*; 3 in "):
        report_page(run, [place])
    page = _text(report_page(run, out=tmp_path / "page.html"))
    assert "Not shown: " in page
    assert "they differ in epochs: 2 in" in page
    assert "plain_cnn, reaches" not in page
    (place / "run.json").write_text(json.dumps(record | {"status": "interrupted"}))
    assert "this run is not finished (interrupted)" in _text(report_page(run, out=tmp_path / "page.html"))


def test_nothing_can_stand_beside_a_run_without_scores(searched: Path, retrained_once: Path) -> None:
    with pytest.raises(RunError, match="has no finished retraining beside whose scores others could stand"):
        report_page(searched, [retrained_once])


def test_a_fusion_is_no_network(both: Path, tmp_path: Path) -> None:
    place = Path(shutil.copytree(both / "retrained", tmp_path / "fused"))
    record = json.loads((place / "run.json").read_text())
    (place / "run.json").write_text(json.dumps(record | {"kind": "fuse"}))
    with pytest.raises(RunError, match="is a fusion; beside a network stand networks, see audionas report --csv"):
        report_page(both, [place])
