"""Restarts, rankings, re-tests, tuning, test noise, evaluations, verification, comparisons under every task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.metrics import average_precision_score

from audionas.comparisons.arms import Arm
from audionas.comparisons.plan import CompareRequest, check_baselines, make_plan
from audionas.comparisons.tables import _scores_table
from audionas.errors import SettingsError
from audionas.records import read_json, read_jsonl
from audionas.spaces import load_search_space
from audionas.statistics.scores import score_of
from audionas.statistics.system import System
from audionas.training.predictions import Predictions
from tests.cli.running import run
from tests.experiment.conftest import make_tiny_space
from tests.experiment.labelled_corpora import make_mixed_corpus

MULTILABEL = ("multilabel", "tags", "map", "auc")
REGRESSION = ("regression", "loudness", "ccc", "rmse")
tasks = pytest.mark.parametrize(("task", "label", "main", "second"), [MULTILABEL, REGRESSION], ids=["tags", "numbers"])


def ok(*words: str | Path) -> str:
    found = run(*words)
    assert found.code == 0, found.err
    return found.out


def table_of(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, keep_default_na=False).set_index("clip")


@pytest.mark.slow
@tasks
def test_searches_and_rankings_keep_the_tasks_scores(
    task: str, label: str, main: str, second: str, tmp_path: Path
) -> None:
    data = (make_mixed_corpus(tmp_path / "corpus"), "--task", task, "--label", label, "--folds", "3", "--threads", "1")
    settings = (*data, "--space", make_tiny_space(tmp_path), "--epochs", "1")
    ok("search", *settings, "--restarts", "2", "--out", tmp_path / "restarts")
    decided = read_json(tmp_path / "restarts" / "run.json", "run")["decided"]
    assert decided["discretisation_gap"] == decided[f"supernet_{main}"] - decided[f"network_{main}"]
    assert [f"network_{main}" in each for each in decided["restarts"]["each"]] == [True, True]
    ok("rank", tmp_path / "restarts", "--genotypes", "2", "--epochs", "1", "--threads", "1")
    for line in read_jsonl(tmp_path / "restarts" / "ranking" / "genotypes.jsonl"):
        assert f"supernet_{main}" in line
        assert all(main in each for each in line["retrained"])
    trials = ("--strategy", "random", "--trials", "4", "--inner-folds", "2", "--retest", "2")
    ok("search", *settings, *trials, "--out", tmp_path / "trials")
    again = [line for line in read_jsonl(tmp_path / "trials" / "retests.jsonl") if line["event"] == "finished"]
    assert [{main, second} < set(line["score"]) for line in again] == [True, True]
    for folder in ("restarts", "trials"):
        ok("report", tmp_path / folder)
        assert " UA" not in (tmp_path / folder / "report.html").read_text()


@pytest.mark.slow
@tasks
def test_a_retraining_is_tuned_disturbed_verified_and_evaluated(
    task: str, label: str, main: str, second: str, tmp_path: Path
) -> None:
    table, space = make_mixed_corpus(tmp_path / "corpus"), make_tiny_space(tmp_path)
    what = ("--task", task, "--label", label, "--threads", "1")
    ok("search", table, *what, "--folds", "3", "--space", space, "--epochs", "1", "--nested", "--out", tmp_path / "run")
    (tmp_path / "noise").mkdir()
    soundfile.write(tmp_path / "noise" / "hiss.wav", 0.1 * np.random.default_rng(9).normal(size=16000), 8000)
    rates = ("--epochs", "2", "--learning-rate", "0.01,0.05", "--seeds", "1", "--threads", "1")
    out = ok("retrain", tmp_path / "run", *rates, "--test-noise", tmp_path / "noise", "--snr", "10")
    name = {"multilabel": "mAP", "regression": "CCC"}[task]
    assert "worst group: speaker" in out
    assert f"with test noise at 10 dB SNR: {name} " in out
    retrained = tmp_path / "run" / "retrained"
    compared = read_json(retrained / "split_1" / "tuning.json", "tuning")["settings"]
    assert [main in setting and "ua" not in setting for setting in compared] == [True, True]
    check_baselines_of(task, label, main, retrained)

    other = slightly_other(table, tmp_path / "other")
    out = ok("evaluate", tmp_path / "run", "--on", other, *what, "--out", tmp_path / "evaluated")
    assert f"{name} " in out
    assert {"auc": "macro AUC 0.500", "rmse": "RMSE "}[second] in out  # beside it, of chance
    place = Path("split_1", "seed_0", "predictions.csv")
    first, again = table_of(retrained / place), table_of(tmp_path / "evaluated" / place)
    tested = first[first["part"] == "test"]
    column = {"multilabel": "p:low", "regression": "y:loudness"}[task]
    own, new = tested[column].to_numpy(float), again.loc[tested.index, column].to_numpy(float)
    assert new == pytest.approx(own, abs=0.05)  # the same recordings, 0.01 dB softer: in the targets' own units
    for folder in ("run", "evaluated"):
        assert "OK" in ok("verify", tmp_path / folder)
        ok("report", tmp_path / folder)
        assert " UA" not in (tmp_path / folder / "report.html").read_text()
    check_planted_changes(task, retrained)


def slightly_other(table: Path, folder: Path) -> Path:
    """The same corpus with other bytes and other speakers' names."""
    folder.mkdir()
    for path in table.parent.glob("*.wav"):
        samples, rate_hz = soundfile.read(path)
        soundfile.write(folder / path.name, 0.999 * samples, rate_hz)
    rows = pd.read_csv(table, keep_default_na=False)
    rows["speaker"] = "another " + rows["speaker"]
    rows.to_csv(folder / "clips.csv", index=False)
    return folder / "clips.csv"


def check_baselines_of(task: str, label: str, main: str, retrained: Path) -> None:
    """Every plain system's score, from its predictions alone; they are of the headline's test clips."""
    metrics: dict[str, Any] = read_json(retrained / "metrics.json", "metrics")
    for record in metrics["baselines"]["headline"]:
        table = table_of(retrained / record["predictions"])
        assert len(table) == metrics["headline"]["n_clips"] == record["n_clips"]
        if task == "regression":
            x, y = table[f"t:{label}"].to_numpy(float), table[f"y:{label}"].to_numpy(float)
            expected = 2 * np.cov(x, y, ddof=0)[0, 1] / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)
        else:
            names = [name[2:] for name in table if name.startswith("t:")]
            x, y = (table[[f"{kind}:{name}" for name in names]].to_numpy(float) for kind in "tp")
            expected = average_precision_score(x, y)
        assert record[main] == pytest.approx(expected)


def check_planted_changes(task: str, retrained: Path) -> None:
    """One changed cell of a network's truth, or of a baseline's predictions, is found."""
    column = {"multilabel": "p:low", "regression": "y:loudness"}[task]
    strongest = read_json(retrained / "metrics.json", "metrics")["baselines"]["headline"][2]["predictions"]
    for place, changed, message in (
        (f"{strongest}", column, "metrics.json: baselines.headline[2]"),
        ("split_1/seed_0/predictions.csv", f"t:{column[2:]}", f"t:{column[2:]}"),
    ):
        before = (retrained / place).read_text()
        table = pd.read_csv(retrained / place, keep_default_na=False)
        table.loc[0, changed] = 1 - float(table.loc[0, changed])
        table.to_csv(retrained / place, index=False)
        found = run("verify", retrained)
        (retrained / place).write_text(before)
        assert found.code == 1
        assert message in found.out + found.err


def test_plain_systems_that_the_task_has_not_are_refused(tmp_path: Path) -> None:
    space = make_tiny_space(tmp_path)
    request = CompareRequest(space=str(space), strategies=("random",), trials=2, baselines=("majority", "ridge"))
    plan = make_plan(request, load_search_space(space))
    with pytest.raises(SettingsError, match="'majority' is not for regression data; known there: mean, duration, r"):
        check_baselines(plan, "regression")
    with pytest.raises(SettingsError, match="'ridge' is not for classification data"):
        check_baselines(plan, "classification")


def test_a_share_of_a_concordance_of_0_or_less_is_not_told() -> None:
    truth = np.array([[1.0], [2.0], [3.0], [4.0]])
    arms = {
        name: arm_of(name, truth, scores)
        for name, scores in (("searched", truth), ("random_architectures", truth[::-1]))
    }
    table = _scores_table(arms, {}, "CCC")
    assert table.columns[1].startswith("CCC, mean")
    assert [row[4] for row in table.rows] == [None, None]


def arm_of(name: str, truth: np.ndarray, scores: np.ndarray) -> Arm:
    clips, groups = tuple("abcd"), tuple("ssuu")
    found = Predictions(clips, groups, truth, scores, ("x",), task="regression")
    return Arm(name, (System(name, (found,), score_of("regression")),), (10,), {}, {}, 1, 1)
