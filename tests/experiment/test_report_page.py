"""Other networks on the page of a run: trained under the same rules, scored on the same folds, or not shown."""

from __future__ import annotations

import json
import re
import shutil
from html import unescape
from itertools import combinations
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
from audionas.experiment.side_by_side import same_rules, short_names, side_runs
from audionas.experiment.talk import Silent
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


def test_a_network_of_other_rules_makes_a_page_of_both_where_named_and_is_told_where_found(
    run: Path, tmp_path: Path
) -> None:
    place = run / "baselines_retrained" / "plain_cnn"
    record = json.loads((place / "run.json").read_text())
    (place / "run.json").write_text(json.dumps(record | {"epochs": 3}))
    assert report_page(run, [place]) == run / "side_by_side.html"
    page = _text(run / "side_by_side.html")
    assert "2 runs side by side" in page
    assert "Not all have the same rules, so their scores are no ranking. They differ in epochs: 2 in run; 3 in " in page
    assert "Not tested, run: no other of these runs has its rules." in page
    page = _text(report_page(run, out=tmp_path / "page.html"))
    assert "Not shown: " in page
    assert "they differ in epochs: 2 in" in page
    assert "plain_cnn, reaches" not in page
    (place / "run.json").write_text(json.dumps(record | {"status": "interrupted"}))
    assert "this run is not finished (interrupted)" in _text(report_page(run, out=tmp_path / "page.html"))


def test_a_run_without_scores_stands_beside_others_untested(
    searched: Path, retrained_once: Path, tmp_path: Path
) -> None:
    page = _text(report_page(searched, [retrained_once], tmp_path / "page.html"))
    assert "These runs stand side by side; no difference between them is tested." in page
    assert f"Not tested, {searched.parent.name}/run: " in page
    assert "holds no retraining; run audionas retrain" in page


def test_a_fusion_is_no_network_but_has_its_row(both: Path, tmp_path: Path) -> None:
    place = Path(shutil.copytree(both / "retrained", tmp_path / "fused"))
    record = json.loads((place / "run.json").read_text())
    (place / "run.json").write_text(json.dumps(record | {"kind": "fuse"}))
    page = _text(report_page(both, [place], tmp_path / "page.html"))
    assert "fused fusion 0 streams" in page
    assert "Not tested, fused: " in page


def _flipped(one: pd.DataFrame, other: pd.DataFrame, groups: set[str]) -> float:
    """UA of the first minus that of the second, after the predictions of some groups changed places."""
    swapped = one["group"].isin(groups)
    first = one["predicted"].where(~swapped, other["predicted"])
    second = other["predicted"].where(~swapped, one["predicted"])
    return float(
        recall_score(one["label"], first, average="macro") - recall_score(other["label"], second, average="macro")
    )


def _test_part(folder: Path, seed: int) -> pd.DataFrame:
    table = pd.read_csv(folder / "split_1" / f"seed_{seed}" / "predictions.csv")
    return table[table["part"] == "test"].sort_values("clip").reset_index(drop=True)


def test_runs_of_the_same_rules_are_tested_on_the_folds_that_are_clean_in_all(both: Path, tmp_path: Path) -> None:
    place = both / "baselines_retrained" / "plain_cnn"
    tested, notes = same_rules(side_runs([both, place]))
    assert notes == []
    (pair,) = tested[0].tests
    assert (pair.first, pair.second) == (both.name, "plain_cnn")
    tables = [(_test_part(both / "retrained", seed), _test_part(place, seed)) for seed in (0, 1)]
    groups = sorted(set(tables[0][0]["group"]))
    differences = [
        mean(_flipped(one, other, set(some)) for one, other in tables)
        for n in range(len(groups) + 1)
        for some in combinations(groups, n)
    ]
    assert pair.difference == pytest.approx(differences[0])
    assert pair.p == pytest.approx(mean(abs(each) >= abs(differences[0]) - 1e-9 for each in differences))
    assert pair.p_holm == pair.p, "one comparison"
    page = _text(report_page(both, [place], tmp_path / "page.html"))
    assert f"{both.name} minus plain_cnn {pair.difference:+.3f}" in page
    assert "On test fold 1, clean in all of them" in page


def test_what_cannot_be_read_is_told_and_the_others_are_shown(both: Path, tmp_path: Path) -> None:
    class Talk(Silent):
        def __init__(self) -> None:
            self.warned: list[str] = []

        def warn(self, line: str) -> None:
            self.warned.append(line)

    talk = Talk()
    page = _text(report_page(both, [tmp_path / "gone"], tmp_path / "page.html", talk))
    assert talk.warned == [f"{tmp_path / 'gone'}: no such run folder"]
    assert "1 run could not be read." in page
    assert f"gone cannot be read {tmp_path / 'gone'}: no such run folder" in page
    with pytest.raises(RunError, match="no such run folder"):
        report_page(tmp_path / "gone", [tmp_path / "lost"])
    run = Path(shutil.copytree(both, tmp_path / "damaged"))
    (run / "retrained" / "metrics.json").write_bytes(b"\x00")
    report_page(run, out=tmp_path / "page.html", talk=talk)
    assert talk.warned[1].startswith(f"{run / 'retrained' / 'metrics.json'}: not a metrics file: not valid JSON")


def test_names_are_as_short_as_tells_runs_apart(tmp_path: Path) -> None:
    places = [tmp_path / "a" / "run", tmp_path / "b" / "run", tmp_path / "c"]
    assert short_names(places[1:]) == ["run", "c"]
    assert short_names(places[:2]) == ["a/run", "b/run"]
    assert short_names(places[:1]) == ["run"]
