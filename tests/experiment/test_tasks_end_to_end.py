"""Several labels a clip, and numbers: the whole way by the command line, on recordings in which they can be heard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file
from sklearn.metrics import average_precision_score

from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.retrain import RetrainRequest, retrain
from audionas.records import read_json, read_jsonl
from audionas.spaces import load_search_space
from audionas.spaces.genotype_file import save_genotype
from tests.cli.running import refused, run
from tests.experiment.conftest import make_tiny_space
from tests.experiment.labelled_corpora import make_mixed_corpus

MULTILABEL = ("multilabel", "tags", "map", "auc")
REGRESSION = ("regression", "loudness,n_tones", "ccc", "rmse")
tasks = pytest.mark.parametrize(("task", "label", "main", "second"), [MULTILABEL, REGRESSION], ids=["tags", "numbers"])


def ok(*words: str | Path) -> str:
    found = run(*words)
    assert found.code == 0, found.err
    return found.out


def pooled_by_hand(task: str, retrained: Path, seed: int) -> float:
    """mAP or mean CCC of one seed over the headline's folds, from the predictions alone."""
    headline = read_json(retrained / "metrics.json", "metrics")["headline"]
    paths = [retrained / f"split_{split}" / f"seed_{seed}" / "predictions.csv" for split in headline["splits"]]
    table = pd.concat([pd.read_csv(path, keep_default_na=False) for path in paths])
    table = table[table["part"] == "test"]
    names = [name[2:] for name in table.columns if name.startswith("t:")]
    each = []
    for name in names:
        x = table[f"t:{name}"].to_numpy(float)
        y = table[("p:" if task == "multilabel" else "y:") + name].to_numpy(float)
        if task == "multilabel":
            each.append(average_precision_score(x, y))
        else:
            each.append(2 * np.cov(x, y, ddof=0)[0, 1] / (x.var() + y.var() + (x.mean() - y.mean()) ** 2))
    return float(np.mean(each))


@pytest.mark.slow
@tasks
def test_search_retrain_fuse_and_report(task: str, label: str, main: str, second: str, tmp_path: Path) -> None:
    table, space = make_mixed_corpus(tmp_path / "corpus"), make_tiny_space(tmp_path)
    prepared = tmp_path / "prepared"
    ok("prepare", table, "--task", task, "--label", label, "--folds", "3", "--out", prepared)
    searched = ("search", prepared, "--space", space, "--threads", "1", "--epochs")
    ok(*searched, "2", "--out", tmp_path / "one_shot")
    ok(*searched, "1", "--strategy", "random", "--trials", "2", "--out", tmp_path / "random")
    assert {f"supernet_{main}", f"network_{main}"} < set(read_jsonl(tmp_path / "one_shot" / "epochs.jsonl")[-1])
    scores = [line["score"] for line in read_jsonl(tmp_path / "random" / "trials.jsonl") if line["event"] == "finished"]
    assert all({main, second, "loss", "balanced_loss"} < set(score) and "ua" not in score for score in scores)

    how = ("--epochs", "3", "--seeds", "2", "--inner-folds", "2", "--threads", "1", "--select", "best")
    out = ok("retrain", tmp_path / "one_shot", *how, "--final")
    ok("retrain", tmp_path / "random", *how)
    assert {"multilabel": "mAP", "regression": "CCC"}[task] in out
    retrained = tmp_path / "one_shot" / "retrained"
    check_metrics(task, main, second, retrained)
    assert read_json(retrained / "final" / "model.json", "model")["task"] == task
    weights = load_file(retrained / "final" / "weights.safetensors")
    assert ("targets.mean" in weights) == (task == "regression")

    ok("fuse", tmp_path / "one_shot", tmp_path / "random", "--out", tmp_path / "fused")
    fused = read_json(tmp_path / "fused" / "metrics.json", "metrics")["headline"]
    names = [row["name"] for row in fused["rows"] if row["kind"] != "stream"]
    rules = ["averaging", "temperature-scaled averaging", "product"] if task == "multilabel" else ["averaging"]
    assert names == ["fusion MLP", *rules]
    assert all({main, f"{main}_sd", f"{main}_interval", second} < set(row) for row in fused["rows"])
    averaged = next(row for row in fused["rows"] if row["name"] == "averaging")
    assert averaged[main] == pytest.approx(averaged_by_hand(task, tmp_path, fused))

    for folder in ("one_shot", "random", "fused"):
        ok("report", tmp_path / folder)
        ok("bundle", tmp_path / folder, "--out", tmp_path / f"{folder}.zip")
        assert "OK" in ok("verify", tmp_path / f"{folder}.zip")
        page = (tmp_path / folder / "report.html").read_text()
        assert {"map": "mAP", "ccc": "CCC"}[main] in page
        assert " UA" not in page
        assert "confusion" not in page.lower()
    ok("report", tmp_path / "random", "--csv", tmp_path / "results.csv")
    found = pd.read_csv(tmp_path / "results.csv")
    unit, scale = ("_percent", 100) if task == "multilabel" else ("", 1)
    headline = read_json(tmp_path / "random" / "retrained" / "metrics.json", "metrics")["headline"]
    row = found[found["kind"] == "system"].iloc[0]
    assert row[f"{main}{unit}"] == pytest.approx(scale * headline[main], abs=0.01)
    assert row["p_chance"] == pytest.approx(headline["chance"]["p"])


def check_metrics(task: str, main: str, second: str, retrained: Path) -> None:
    metrics: dict[str, Any] = read_json(retrained / "metrics.json", "metrics")
    assert metrics["task"] == task
    headline = metrics["headline"]
    by_hand = [pooled_by_hand(task, retrained, seed) for seed in (0, 1)]
    assert [row[main] for row in metrics["per_seed"]] == pytest.approx(by_hand, abs=1e-6)
    assert headline[main] == pytest.approx(np.mean(by_hand), abs=1e-6)
    assert headline[f"{main}_sd"] == pytest.approx(np.std(by_hand, ddof=1), abs=1e-6)
    assert {second, f"{second}_sd", f"{main}_fold_mean"} < set(headline)
    assert "UA" not in headline["what"]
    guess, _, *heard = (row[main] for row in metrics["baselines"]["headline"])
    assert len(heard) == 2
    assert min(heard) > max(guess, 0.8)  # what is asked for can be heard


def averaged_by_hand(task: str, folder: Path, found: dict[str, Any]) -> float:
    """The main score of the mean of both streams' test predictions, the mean over seeds."""
    each = []
    for seed in found["seeds"]:
        tables = []
        for name in ("one_shot", "random"):
            paths = [
                folder / name / "retrained" / f"split_{split}" / f"seed_{seed}" / "predictions.csv"
                for split in found["splits"]
            ]
            table = pd.concat([pd.read_csv(path, keep_default_na=False) for path in paths])
            tables.append(table[table["part"] == "test"].set_index("clip").sort_index())
        first, other = tables
        labels = [name[2:] for name in first.columns if name.startswith("t:")]
        own = []
        for label in labels:
            column = ("p:" if task == "multilabel" else "y:") + label
            x, y = first[f"t:{label}"].to_numpy(float), ((first[column] + other[column]) / 2).to_numpy(float)
            if task == "multilabel":
                own.append(average_precision_score(x, y))
            else:
                own.append(2 * np.cov(x, y, ddof=0)[0, 1] / (x.var() + y.var() + (x.mean() - y.mean()) ** 2))
        each.append(np.mean(own))
    return float(np.mean(each))


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """A folder with a genotype, features and a table with its own folds."""
    space = load_search_space(str(make_tiny_space(tmp_path)))
    save_genotype(space.random(np.random.default_rng(0)), tmp_path / "genotype.json", {})
    table = make_mixed_corpus(tmp_path / "corpus")
    rows = table.read_text().splitlines()
    folds = ["fold", *(str(1 + int(row.rsplit("speaker", 1)[1]) % 3) for row in rows[1:])]
    table.write_text("\n".join(f"{row},{fold}" for row, fold in zip(rows, folds, strict=True)) + "\n")
    return tmp_path


def retrained(folder: Path, name: str, epochs: int = 2, learning_rate: float = 0.025) -> Path:
    return retrain(RetrainRequest(
        (folder / "genotype.json",), folder / "corpus" / "clips.csv", str(folder / "features.yaml"), epochs=epochs,
        seeds=1, recipe={"learning_rate": learning_rate}, threads=1, out=folder / name,
        preparation=PrepareOptions(task="regression", label="loudness"),
    ))  # fmt: skip


@pytest.mark.slow
def test_the_numbers_of_test_clips_do_not_touch_their_predictions(given: Path) -> None:
    before = pd.read_csv(retrained(given, "before") / "split_1" / "seed_0" / "predictions.csv")
    table = pd.read_csv(given / "corpus" / "clips.csv", keep_default_na=False)
    table.loc[table["fold"] == 1, "loudness"] = np.linspace(500, 900, (table["fold"] == 1).sum())
    table.to_csv(given / "corpus" / "clips.csv", index=False)
    after = pd.read_csv(retrained(given, "after") / "split_1" / "seed_0" / "predictions.csv")
    tested = before["part"] == "test"
    assert (after.loc[tested, "t:loudness"] >= 500).all()
    assert after["y:loudness"].tolist() == before["y:loudness"].tolist()


@pytest.mark.slow
def test_a_network_learns_numbers_in_their_own_unit(given: Path) -> None:
    metrics = read_json(retrained(given, "long", 120, 0.05) / "metrics.json", "metrics")
    scores = metrics["all_splits"]
    assert scores["ccc"] > 0.8
    assert scores["rmse"] < 6.0  # decibels; that of the mean is about 8


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (("--task", "regression", "--label", "tags"), "clip s0_0.wav: tags 'low' is not a finite number"),
        (("--task", "ranking", "--label", "tags"), "--task: unknown task 'ranking'"),
    ],
)
def test_a_task_that_the_data_is_not_for_is_one_line(words: tuple[str, ...], match: str, tmp_path: Path) -> None:
    table = make_mixed_corpus(tmp_path / "corpus")
    if "regression" in words:  # the last mixture has no tag, which stops the reading of the table before
        table.write_text(table.read_text().replace('""', "none"))
    line = refused("prepare", table, *words, "--out", tmp_path / "prepared")
    assert match in line


def test_drawing_by_class_is_refused_before_anything_is_written(given: Path) -> None:
    line = refused(
        "retrain", given / "genotype.json", given / "corpus" / "clips.csv", "--features", given / "features.yaml",
        "--task", "multilabel", "--label", "tags", "--class-weighting", "sampler", "--out", given / "out",
    )  # fmt: skip
    assert line.startswith("class weighting 'sampler' draws clips by their class, and these have several labels a clip")
    assert not (given / "out").exists()
