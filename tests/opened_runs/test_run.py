"""A run folder as an object: what it holds equals its files, pictures are drawn, networks predict as on record."""

from __future__ import annotations

import json
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure

import audionas
from audionas.audio.manifest import Manifest
from audionas.errors import AudionasError, RunError
from audionas.opened_runs import open_run
from audionas.records import read_json, read_jsonl
from audionas.spaces.genotype_file import load_genotype
from tests.experiment.finished_runs import FinishedRuns
from tests.report.run_folders import write_search


def is_drawn(figure: Figure) -> bool:
    """Whether a figure has something in it and can be saved."""
    figure.canvas.draw()
    return bool((figure.axes and figure.axes[0].has_data()) or figure.axes[0].patches)


def test_it_is_a_public_name(by_trials: Path) -> None:
    assert isinstance(audionas.open_run(str(by_trials)), audionas.Run)


def test_a_search_by_trials_tells_its_trials(by_trials: Path) -> None:
    run = open_run(by_trials)
    assert (run.kind, run.status) == ("search", "done")
    assert run.record == read_json(by_trials / "run.json", "run file")
    assert run.genotype == load_genotype(by_trials / "genotype.json")
    finished = [line for line in read_jsonl(by_trials / "trials.jsonl") if line["event"] == "finished"]
    trials = run.trials
    assert trials["number"].tolist() == [0, 1, 2]
    assert trials.sort_values("number")["ua"].tolist() == [
        line["score"]["ua"] for line in sorted(finished, key=lambda line: line["number"])
    ]
    assert trials["status"].tolist() == ["done"] * 3
    assert {"wa", "balanced_loss", "parameters", "seconds", "hash", "choice.normal_n0_in"} <= set(trials.columns)
    assert is_drawn(run.plot_trials())
    with pytest.raises(RunError, match=r"has no epochs; its course is in \.trials"):
        _ = run.epochs
    with pytest.raises(RunError, match="there are no epochs; a search by trials is drawn by plot_trials"):
        run.plot_learning()


def test_scores_of_a_search_are_those_of_its_retraining(by_trials: Path) -> None:
    run = open_run(by_trials)
    metrics = read_json(by_trials / "retrained" / "metrics.json", "metrics file")
    assert run.retraining.path == by_trials / "retrained"
    assert run.retraining.retraining.kind == "retrain"
    assert run.metrics == metrics == run.retraining.metrics
    row = run.scores.loc["this network"]
    assert row["ua"] == metrics["headline"]["ua"]
    assert row["wa"] == metrics["headline"]["wa"]
    assert row["parameters"] == metrics["parameters"]
    baselines = {each["name"]: each["ua"] for each in metrics["baselines"]["headline"]}
    assert {name: run.scores.loc[name, "ua"] for name in baselines} == baselines


def test_predictions_give_the_accuracy_on_record(by_trials: Path) -> None:
    run = open_run(by_trials)
    table = run.predictions
    assert set(table["seed"]) == {0, 1}
    assert set(table["split"]) == {"1", "2"}
    test = table[(table["part"] == "test") & (table["split"].isin(run.metrics["headline"]["splits"]))]
    by_seed = (test["label"] == test["predicted"]).groupby(test["seed"]).mean()
    assert by_seed.mean() == pytest.approx(run.metrics["headline"]["wa"])
    assert np.allclose(table[["p:high", "p:low"]].sum(axis=1), 1, atol=1e-6)


def test_an_interval_stands_in_the_scores_where_there_are_enough_speakers(finished: FinishedRuns) -> None:
    run = open_run(finished.searched)
    row, headline = run.scores.loc["this network"], run.metrics["headline"]
    assert [row["ua_low"], row["ua_high"]] == headline["ua_interval"]
    assert row["p"] == headline["chance"]["p"]


def test_a_nested_search_has_a_genotype_a_split(finished: FinishedRuns) -> None:
    run = open_run(finished.searched)
    assert list(run.genotypes) == ["1", "2", "3"]
    for name, genotype in run.genotypes.items():
        assert genotype == load_genotype(finished.searched / f"split_{name}" / "genotype.json")
    assert run.epochs["split"].tolist() == ["1", "2", "3"]
    first = read_jsonl(finished.searched / "split_2" / "epochs.jsonl")[0]
    assert run.epochs.loc[1, "weights_loss"] == first["weights_loss"]
    assert run.epochs.loc[1, "entropy.normal"] == first["entropy"]["normal"]
    n_different = len({genotype.hash for genotype in run.genotypes.values()})
    assert n_different > 1
    with pytest.raises(RunError, match=rf"has {n_different} different genotypes, one a split; take \.genotypes"):
        _ = run.genotype
    with pytest.raises(RunError, match="several splits; name one of: 1, 2, 3"):
        run.plot_learning()
    with pytest.raises(RunError, match="no split '7'; name one of: 1, 2, 3"):
        run.plot_cell(split="7")
    assert is_drawn(run.plot_learning(split="2"))
    assert is_drawn(run.plot_cell("reduce", split="2"))
    with pytest.raises(RunError, match=r"trains no trials; its course is in \.epochs"):
        _ = run.trials


def test_a_retraining_tells_the_course_of_every_training(finished: FinishedRuns) -> None:
    run = open_run(finished.one)
    assert len(run.epochs) == 3 * 2 * 2
    own = run.epochs[(run.epochs["split"] == "2") & (run.epochs["seed"] == 1)]
    wanted = [line["train_loss"] for line in read_jsonl(finished.one / "split_2" / "seed_1" / "history.jsonl")]
    assert own["train_loss"].tolist() == wanted
    assert is_drawn(run.plot_learning())
    assert is_drawn(run.plot_confusion())
    assert len(run.genotypes) == 3
    with pytest.raises(RunError, match="is a retrain run, no search"):
        run.plot_trials()


def test_a_fusion_has_a_row_a_system(finished: FinishedRuns) -> None:
    run = open_run(finished.fused)
    rows = run.metrics["headline"]["rows"]
    assert run.scores.index.tolist() == [row["name"] for row in rows]
    assert run.scores["ua"].tolist() == [row["ua"] for row in rows]
    assert run.scores["parameters"].tolist() == [row["parameters"]["total"] for row in rows]
    assert set(run.predictions["part"]) == {"test"}
    with pytest.raises(RunError, match="a fuse run has no genotype"):
        _ = run.genotype
    with pytest.raises(RunError, match="has no confusion matrix"):
        run.plot_confusion()
    with pytest.raises(RunError, match="a fuse run has no tables; comparisons and reproductions have"):
        _ = run.tables


def test_a_folds_network_predicts_what_its_predictions_say(finished: FinishedRuns) -> None:
    run = open_run(finished.one)
    network = run.model(fold="2", seed=1)
    assert isinstance(network, torch.nn.Module)
    assert not network.training
    manifest = Manifest.read(finished.one)
    table = run.predictions
    own = table[(table["split"] == "2") & (table["seed"] == 1) & (table["part"] == "test")]
    paths = {clip.clip: manifest.path_of(clip) for clip in manifest.clips}
    scores = network.scores_of_files([paths[clip] for clip in own["clip"]])
    assert np.allclose(scores, own[[f"p:{label}" for label in network.labels]].to_numpy(), atol=1e-6)


def test_the_final_model_is_taken_where_no_fold_is_named(by_trials: Path, finished: FinishedRuns) -> None:
    assert open_run(by_trials).model().labels == ("high", "low")
    with pytest.raises(RunError, match=r"has no final model .*--final.*name a test fold, as in model\(fold='1'\)"):
        open_run(finished.searched).model()
    with pytest.raises(RunError, match="no test fold '9'; there are: 1, 2, 3"):
        open_run(finished.searched).model(fold="9")
    with pytest.raises(RunError, match="no seed 5; there are: 0, 1"):
        open_run(finished.searched).model(fold="1", seed=5)


def test_the_report_is_written(by_trials: Path, tmp_path: Path) -> None:
    page = open_run(by_trials).report(tmp_path / "page.html")
    assert page == tmp_path / "page.html"
    assert "<html" in page.read_text()


def test_a_notebook_shows_what_it_is_and_what_it_comes_to(by_trials: Path, finished: FinishedRuns) -> None:
    for folder in (by_trials, finished.searched, finished.one, finished.fused):
        run = open_run(folder)
        text = run._repr_html_()
        HTMLParser().feed(text)
        assert str(folder) in text
        assert run.kind in text
        assert repr(run) == f"Run({str(folder)!r}, {run.kind}, done)"


def test_markup_in_labels_is_shown_as_text(tmp_path: Path) -> None:
    folder = write_search(tmp_path / "run", labels=["<script>alert(1)</script>", "b", "c", "d"])
    record = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(record | {"strategy": "<b>bold</b>"}))
    text = open_run(folder)._repr_html_()
    assert "<script" not in text
    assert "<b>" not in text
    assert "&lt;b&gt;bold" in text


def test_a_run_that_still_works_shows_what_is_there(tmp_path: Path) -> None:
    folder = write_search(tmp_path / "run", status="running", n_epochs=3, has_genotype=False)
    with (folder / "epochs.jsonl").open("a") as stream:
        stream.write('{"epoch": 3, "weights_')
    run = open_run(folder)
    assert run.status == "running"
    assert run.epochs["epoch"].tolist() == [0, 1, 2]
    assert is_drawn(run.plot_learning())
    assert "running" in run._repr_html_()
    with pytest.raises(RunError, match=r"genotype.json: there is none yet: this run is running"):
        _ = run.genotype
    with pytest.raises(RunError, match="has no retraining; run audionas retrain"):
        _ = run.metrics


def test_an_interrupted_run_says_how_to_go_on(tmp_path: Path) -> None:
    folder = write_search(tmp_path / "run", status="interrupted", n_epochs=3, has_genotype=False)
    with pytest.raises(RunError, match="this run is interrupted; go on with: audionas search --resume"):
        _ = open_run(folder).genotype


def test_a_retraining_without_scores_yet_says_so(finished: FinishedRuns, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(finished.one, tmp_path / "retrained"))
    (folder / "metrics.json").unlink()
    record = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(record | {"status": "interrupted"}))
    with pytest.raises(RunError, match=r"metrics.json: there is none yet: this run is interrupted"):
        _ = open_run(folder).scores
    for path in folder.glob("split_*/seed_*/predictions.csv"):
        path.unlink()
    with pytest.raises(RunError, match="there are no predictions yet; go on with the run, or retrain"):
        _ = open_run(folder).predictions


@pytest.mark.parametrize(("file", "content", "message"), [
    ("run.json", "{", "not valid JSON"),
    ("run.json", '{"schema_version": 2, "kind": "search"}', "a run record of version 2; this audionas reads version 1"),
    ("run.json", '{"schema_version": 1, "kind": "dream"}', "unknown kind of run 'dream'"),
    ("epochs.jsonl", '{"epoch": 5}\n', "line 1 is none of this log"),
    ("genotype.json", "[]", "not a genotype"),
])  # fmt: skip
def test_a_damaged_or_newer_run_is_told_in_one_line(tmp_path: Path, file: str, content: str, message: str) -> None:
    folder = write_search(tmp_path / "run")
    (folder / file).write_text(content)
    with pytest.raises(AudionasError, match=message) as caught:
        _ = open_run(folder).genotype
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_run_names_those_inside(tmp_path: Path) -> None:
    write_search(tmp_path / "runs" / "first")
    with pytest.raises(RunError, match=r"no run here \(run.json is missing\); runs inside it: first"):
        open_run(tmp_path / "runs")
    with pytest.raises(RunError, match="no such run folder"):
        open_run(tmp_path / "nowhere")


def test_tables_of_comparisons_and_reproductions(tmp_path: Path) -> None:
    folder = tmp_path / "compared"
    folder.mkdir()
    record = {"schema_version": 1, "kind": "compare", "status": "done", "plan": {}, "cost": {"seconds": 1.0}}
    (folder / "run.json").write_text(json.dumps(record))
    with pytest.raises(RunError, match=r"tables.json: there is none yet: this run is done"):
        _ = open_run(folder).tables
    (folder / "tables.json").write_text(json.dumps({"schema_version": 1, "rows": [1]}))
    run = open_run(folder)
    assert run.tables["rows"] == [1]
    with pytest.raises(RunError, match=r"a compare run has its scores in \.tables"):
        _ = run.metrics
    assert isinstance(run._repr_html_(), str)


def test_a_recipe_is_drawn_whole_and_a_hand_made_system_not_at_all() -> None:
    from audionas.opened_runs import figures
    from audionas.spaces import BaselineGenotype, RecurrentGenotype, load_search_space

    recurrent = load_search_space("darts_rnn").random(np.random.default_rng(0))
    assert isinstance(recurrent, RecurrentGenotype)
    assert is_drawn(figures.cell(recurrent, "normal", "here"))
    with pytest.raises(RunError, match="here: lstm is a hand-made system and has no cells"):
        figures.cell(BaselineGenotype("lstm"), "normal", "here")
    cells = load_search_space("darts_cnn_small").random(np.random.default_rng(0))
    with pytest.raises(RunError, match=r"unknown cell 'nromal' \(did you mean 'normal'\?\)"):
        figures.cell(cells, "nromal", "here")


def test_a_search_whose_trials_have_no_score_cannot_be_drawn(by_trials: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(by_trials, tmp_path / "run", ignore=shutil.ignore_patterns("retrained")))
    lines = (folder / "trials.jsonl").read_text().splitlines()
    (folder / "trials.jsonl").write_text(lines[0] + "\n")
    run = open_run(folder)
    assert run.trials["status"].tolist() == ["running"]
    assert pd.isna(run.trials.loc[0, "ua"])
    with pytest.raises(RunError, match="no trial has a score yet"):
        run.plot_trials()
