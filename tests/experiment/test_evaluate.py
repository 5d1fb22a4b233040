"""Evaluation on another corpus: no training, no clip or speaker that a network has read, declared labels."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from sklearn.metrics import balanced_accuracy_score

from audionas.errors import RunError, SettingsError
from audionas.experiment.bundle import bundle
from audionas.experiment.bundle_zip import unpack
from audionas.experiment.evaluate import EvaluateRequest, evaluate, resume_evaluation
from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.retrain import RetrainRequest, retrain
from audionas.experiment.search import SearchRequest, search
from audionas.experiment.verify import verify
from audionas.report import write_report
from audionas.training.predictions import Predictions
from tests.experiment.conftest import make_tiny_corpus, make_tiny_space

pytestmark = pytest.mark.slow

BY_SPEAKER = PrepareOptions(group_from="^([a-z][0-9])", folds="3")
MAP = {"deep": "low", "shrill": "high"}
Evaluate = Callable[..., Path]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A retraining on the tiny corpus (in `run/retrained`, and with a final model in `final`), and another corpus."""
    folder = tmp_path_factory.mktemp("evaluate")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUDIONAS_CACHE", str(folder / "cache"))
        corpus, space = make_tiny_corpus(folder), make_tiny_space(folder)
        options = PrepareOptions(group_from="^(s[0-9])", folds="3")
        run = search(SearchRequest(corpus, str(space), epochs=1, threads=1, out=folder / "run", preparation=options))
        retrain(RetrainRequest((run,), epochs=12, seeds=2, threads=1))
        retrain(RetrainRequest((run,), epochs=3, seeds=1, threads=1, final=True, out=folder / "final"))
    rng = np.random.default_rng(9)
    time_s = np.arange(6000) / 8000
    for speaker in range(3):
        for label, pitch_hz in (("deep", 320), ("shrill", 1450), ("odd", 800)):
            for take in range(2):
                tone = np.sin(2 * np.pi * (pitch_hz + 10 * speaker) * time_s) + 0.1 * rng.normal(size=6000)
                path = folder / "other" / label / f"t{speaker}_{label}_{take}.wav"
                path.parent.mkdir(parents=True, exist_ok=True)
                soundfile.write(path, 0.3 * tone, 8000)
    return folder


@pytest.fixture
def evaluated(place: Path, tmp_path: Path) -> Evaluate:
    def run(**changes: Any) -> Path:
        fields = {"run": place / "run", "data": place / "other", "label_map": MAP, "out": tmp_path / "out",
                  "preparation": BY_SPEAKER, "threads": 1}  # fmt: skip
        return evaluate(EvaluateRequest(**(fields | changes)))

    return run


def metrics_of(run: Path) -> dict[str, Any]:
    return dict(json.loads((run / "metrics.json").read_text()))


def test_every_network_predicts_the_mapped_clips(evaluated: Evaluate) -> None:
    run = evaluated()
    metrics = metrics_of(run)
    names = [f"split_{split}/seed_{seed}" for split in "123" for seed in (0, 1)]
    assert [row["network"] for row in metrics["networks"]] == names
    uas = []
    for row in metrics["networks"]:
        found = Predictions.read(run / row["network"] / "predictions.csv")
        assert found.labels == ("high", "low")
        assert {clip.split("/")[0] for clip in found.clips} == {"deep", "shrill"}
        uas.append(balanced_accuracy_score(found.truth, found.scores.argmax(axis=1)))
        assert (row["n_clips"], row["groups_left_out"]) == (12, [])
    assert metrics["headline"]["ua"] == pytest.approx(np.mean(uas))
    assert metrics["headline"]["ua_sd"] == pytest.approx(np.std(uas, ddof=1))
    assert "no independent samples" in metrics["headline"]["what"]
    assert 0 < metrics["headline"]["chance"]["p"] <= 1
    assert metrics["headline"]["n_groups"] == 3
    assert "no claim about speakers is possible from 3 groups" in metrics["headline"]["claim"]
    assert metrics["labels_left_out"] == {"odd": 6}
    assert metrics["chance"] == {"ua": 0.5, "majority_wa": 0.5}
    assert [row["group"] for row in metrics["per_group"]] == ["t0", "t1", "t2"]
    assert metrics["worst_group"]["ua"] == min(row["ua"] for row in metrics["per_group"])
    record = json.loads((run / "run.json").read_text())
    assert record["kind"] == "evaluate"
    assert set(record["cost"]["steps"]) == {"evaluation"}
    assert record["cost"]["clip_passes"] == {"forward": 6 * 12, "backward": 0}


def test_an_evaluation_is_bundled_and_verified_and_what_cannot_be_is_said(evaluated: Evaluate, tmp_path: Path) -> None:
    bundle(evaluated(), tmp_path / "a.zip")
    sound = verify(tmp_path / "a.zip")
    assert [str(each) for each in sound.mismatches] == []
    assert sound.notes == [
        "run: which groups its networks have read stands in the retraining, which is no part of it: not checked"
    ]
    unpack(tmp_path / "a.zip", tmp_path / "bundle")
    metrics = tmp_path / "bundle" / "run" / "metrics.json"
    document = json.loads(metrics.read_text())
    document["networks"][0]["ua"] += 0.01
    document["networks"][1]["groups_left_out"] = ["t1"]  # yet its table holds that group
    metrics.write_text(json.dumps(document))
    keys = {(each.file, each.key) for each in verify(tmp_path / "bundle").mismatches}
    table = "run/split_1/seed_1/predictions.csv"
    assert {("run/metrics.json", "sha256"), ("run/metrics.json", "networks[0].ua"), (table, "test clips")} <= keys
    assert {key for file, key in keys if file == table} > {"test clips"}
    document["networks"][0]["network"] = "../../elsewhere"
    metrics.write_text(json.dumps(document))
    faults = [str(each) for each in verify(tmp_path / "bundle").mismatches]
    assert any("'../../elsewhere' lies outside of the run" in fault for fault in faults)


def test_a_network_gives_the_same_scores_for_the_same_clips_as_in_its_retraining(
    place: Path, evaluated: Evaluate
) -> None:
    """The corpus itself as the other one: each network may predict its test fold only, and does so as before."""
    run = evaluated(data=place / "corpus", label_map=None)
    metrics = metrics_of(run)
    # the genotype's search left out fold 1 only: the networks of the others have nothing left that is new
    assert [row["network"] for row in metrics["networks"]] == ["split_1/seed_0", "split_1/seed_1"]
    assert metrics["networks_without_clips"] == [f"split_{split}/seed_{seed}" for split in "23" for seed in (0, 1)]
    for row in metrics["networks"]:
        before = Predictions.read(place / "run" / "retrained" / row["network"] / "predictions.csv")
        after = Predictions.read(run / row["network"] / "predictions.csv")
        assert after.clips == before.clips
        assert np.allclose(after.scores, before.scores, atol=1e-6)
        assert row["n_clips"] == 8
        assert len(row["groups_left_out"]) == 4


def test_speakers_that_a_network_has_read_are_left_out_under_any_name(place: Path, tmp_path: Path) -> None:
    """A planted cheat: a training clip among the other corpus's, renamed; its whole group is left out."""
    other = tmp_path / "mixed"
    shutil.copytree(place / "other", other)
    shutil.copy(place / "corpus" / "low" / "s3_low_0.wav", other / "deep" / "t1_extra.wav")
    fields = {"run": place / "run", "data": other, "label_map": MAP, "preparation": BY_SPEAKER, "threads": 1}
    metrics = metrics_of(evaluate(EvaluateRequest(**fields, out=tmp_path / "out")))
    splits = json.loads((place / "run" / "retrained" / "metrics.json").read_text())["splits"]
    trained_on = [row for row in metrics["networks"] if row["groups_left_out"] == ["t1"]]
    assert len(splits) == 3
    assert len(trained_on) >= 4, "at least the networks of the two splits that train on s3"
    for row in trained_on:
        found = Predictions.read(tmp_path / "out" / row["network"] / "predictions.csv")
        assert "t1" not in found.groups
        assert row["n_clips_left_out"] == 5
    assert metrics["headline"]["n_clips_left_out"] == 5


def test_equal_names_count_as_the_same_speaker_unless_declared_otherwise(place: Path, tmp_path: Path) -> None:
    other = tmp_path / "named"
    for path in sorted((place / "other").rglob("*.wav")):
        target = other / path.parent.name / path.name.replace("t0_", "s0_")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    fields = {"run": place / "final", "data": other, "label_map": MAP, "preparation": BY_SPEAKER, "threads": 1}
    strict = metrics_of(evaluate(EvaluateRequest(**fields, out=tmp_path / "a")))
    loose = metrics_of(evaluate(EvaluateRequest(**fields, are_distinct=True, out=tmp_path / "b")))
    assert strict["networks"][0]["groups_left_out"] == ["s0"]
    assert loose["networks"][0]["groups_left_out"] == []


def test_the_final_model_is_taken_where_there_is_one_and_refuses_its_own_corpus(
    place: Path, evaluated: Evaluate, tmp_path: Path
) -> None:
    metrics = metrics_of(evaluated(run=place / "final"))
    assert [row["network"] for row in metrics["networks"]] == ["final"]
    assert "final model" in metrics["headline"]["what"]
    assert metrics["headline"]["ua_sd"] is None
    with pytest.raises(RunError, match="have been trained on, or chosen with, every group"):
        evaluated(run=place / "final", data=place / "corpus", label_map=None, out=tmp_path / "own")


def test_a_stopped_evaluation_goes_on_without_predicting_again(evaluated: Evaluate) -> None:
    run = evaluated()
    before = (run / "metrics.json").read_text()
    kept = run / "split_1" / "seed_0" / "predictions.csv"
    stamp = kept.stat().st_mtime_ns
    (run / "split_3" / "seed_1" / "predictions.csv").unlink()
    (run / "metrics.json").unlink()
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(record | {"status": "interrupted"}))
    assert resume_evaluation(run) == run
    assert (run / "metrics.json").read_text() == before
    assert kept.stat().st_mtime_ns == stamp
    assert resume_evaluation(run) == run, "done already"
    (run / "run.json").write_text(json.dumps(record | {"status": "interrupted", "networks": ["final"]}))
    with pytest.raises(RunError, match="has other networks than when"):
        resume_evaluation(run)


def test_its_report_names_chance_and_every_network(evaluated: Evaluate) -> None:
    page = write_report(evaluated()).read_text(encoding="utf-8")
    assert "chance is 0.500" in page
    assert "split_3/seed_1" in page
    assert "Per group, worst first" in page


def test_wrong_requests_are_refused_before_anything_is_written(
    place: Path, evaluated: Evaluate, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="unknown label of the network 'lo'"):
        evaluated(label_map={"deep": "lo"})
    with pytest.raises(RunError, match="no run here"):
        evaluated(run=place / "other")
    assert not (tmp_path / "out").exists()


def test_damaged_or_foreign_weights_are_refused(place: Path, evaluated: Evaluate, tmp_path: Path) -> None:
    twin = tmp_path / "twin"
    shutil.copytree(place / "final", twin)
    weights = twin / "final" / "weights.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:100])
    with pytest.raises(RunError, match="damaged"):
        evaluated(run=twin)
    from safetensors.torch import load, save

    state = load(whole)
    del state[next(name for name in sorted(state) if name.endswith(".weight"))]
    weights.write_bytes(save(state))
    with pytest.raises(RunError, match="weights of another network than the genotype"):
        evaluated(run=twin, out=tmp_path / "second")


def test_a_training_that_diverged_is_scored_as_chance_and_marked(
    place: Path, evaluated: Evaluate, tmp_path: Path
) -> None:
    twin = tmp_path / "twin"
    shutil.copytree(place / "final", twin)
    (twin / "final" / "weights.safetensors").unlink()
    (row,) = metrics_of(evaluated(run=twin))["networks"]
    assert row["is_chance"]
    assert row["ua"] == 0.5
