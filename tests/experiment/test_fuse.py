"""Fusion of two retrained streams on the tiny corpus: what it leaves, and every pair of runs that it refuses."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from audionas.errors import AudionasError, RunError, SettingsError
from audionas.experiment.fuse import FuseRequest, fuse
from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.retrain import RetrainRequest, retrain
from audionas.experiment.search import SearchRequest, search
from audionas.training.fusion import FusionClips, fit_mlp
from audionas.training.predictions import Predictions, read_predictions, write_predictions
from tests.experiment.conftest import FEATURES, make_tiny_corpus, make_tiny_space

pytestmark = pytest.mark.slow  # the fixture retrains four times

BY_SPEAKER = PrepareOptions(group_from="^(s[0-9])", folds="3")


@dataclass(frozen=True)
class Runs:
    """A search that left out fold 1, and retrainings of its genotype."""

    folder: Path
    search: Path
    one: Path
    two: Path
    best_one: Path
    best_two: Path


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """Streams `one` and `two` (other features) with inner folds; `best_one` and `best_two` with a validation part."""
    folder = tmp_path_factory.mktemp("streams")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUDIONAS_CACHE", str(folder / "cache"))
        corpus, space = make_tiny_corpus(folder), make_tiny_space(folder)
        (folder / "other.yaml").write_text(FEATURES.replace("n_mels: 8", "n_mels: 12"))
        run = folder / "search"
        search(SearchRequest(corpus, str(space), epochs=1, threads=1, out=run, preparation=BY_SPEAKER))

        def trained(name: str, **changes: Any) -> None:
            fields = {"epochs": 2, "seeds": 2, "threads": 1, "inner_folds": 2, "out": folder / name} | changes
            retrain(RetrainRequest((run,), **fields))

        trained("one")
        trained("two", features=str(folder / "other.yaml"))
        for number, features in (("one", None), ("two", str(folder / "other.yaml"))):
            trained(f"best_{number}", select="best", inner_folds=0, seeds=1, features=features)
        yield Runs(folder, run, *(folder / name for name in ("one", "two", "best_one", "best_two")))


Changed = Callable[..., Path]


@pytest.fixture
def changed(runs: Runs, tmp_path: Path) -> Changed:
    """A copy of stream `two` in which one predictions table, or run.json, is changed."""

    def change(table: Callable[[dict[str, Predictions]], None] | None = None, **record: Any) -> Path:
        copy = tmp_path / "copy"
        shutil.copytree(runs.two, copy)
        (copy / "run.json").write_text(json.dumps(_json(copy / "run.json") | record))
        if table is not None:
            path = copy / "split_2" / "seed_0" / "predictions.csv"
            parts = read_predictions(path)
            table(parts)
            write_predictions(path, list(parts.values()))
        return copy

    return change


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _fused(runs: Runs, tmp_path: Path, **changes: Any) -> Any:
    return _json(fuse(FuseRequest((runs.one, runs.two), out=tmp_path / "out", **changes)) / "metrics.json")


def _ua(tables: list[pd.DataFrame], scores: list[np.ndarray]) -> float:
    """Pooled UA, written out."""
    truth = np.concatenate([table["label"].to_numpy() for table in tables])
    predicted = np.concatenate([np.array(["high", "low"])[each.argmax(axis=1)] for each in scores])
    return float(np.mean([np.mean(predicted[truth == label] == label) for label in ("high", "low")]))


def test_every_row_is_scored_on_the_same_clips_by_its_formula(runs: Runs, tmp_path: Path) -> None:
    found = _fused(runs, tmp_path, epochs=5)["all_splits"]
    expected: dict[str, list[float]] = {str(runs.one): [], str(runs.two): [], "averaging": [], "product": []}
    for seed in (0, 1):
        places = [f"split_{split}/seed_{seed}/predictions.csv" for split in "123"]
        one, two = ([pd.read_csv(run / place) for place in places] for run in (runs.one, runs.two))
        one, two = ([t[t["part"] == "test"].sort_values("clip") for t in tables] for tables in (one, two))
        p, q = ([t[["p:high", "p:low"]].to_numpy() for t in tables] for tables in (one, two))
        expected[str(runs.one)].append(_ua(one, p))
        expected[str(runs.two)].append(_ua(two, q))
        expected["averaging"].append(_ua(one, [(a + b) / 2 for a, b in zip(p, q, strict=True)]))
        expected["product"].append(_ua(one, [a * b for a, b in zip(p, q, strict=True)]))
    rows = {row["name"]: row for row in found["rows"]}
    assert list(rows) == [
        str(runs.one), str(runs.two), "fusion MLP", "averaging", "temperature-scaled averaging", "product",
    ]  # fmt: skip
    for name, ua in expected.items():
        assert rows[name]["ua"] == pytest.approx(np.mean(ua))
        assert rows[name]["ua_sd"] == pytest.approx(np.std(ua, ddof=1))
    assert (found["n_clips"], found["n_groups"], found["seeds"]) == (24, 6, [0, 1])
    assert {record["minus"] for record in found["differences"]} == set(rows) - {"fusion MLP"}
    for record in found["differences"]:
        assert record["ua"] == pytest.approx(rows["fusion MLP"]["ua"] - rows[record["minus"]]["ua"])


def test_the_mlp_is_trained_on_inner_out_of_fold_probabilities_of_the_same_split_and_seed(
    runs: Runs, tmp_path: Path
) -> None:
    _fused(runs, tmp_path, epochs=5)
    place = Path("split_3") / "seed_1" / "predictions.csv"
    inner = [Predictions.read(run / place, "inner_oof") for run in (runs.one, runs.two)]
    test = [Predictions.read(run / place) for run in (runs.one, runs.two)]
    assert inner[0].clips == inner[1].clips
    train = FusionClips(np.stack([each.scores for each in inner]), inner[0].truth)
    expected = fit_mlp(train, 1, epochs=5)(np.stack([each.scores for each in test]))
    np.testing.assert_allclose(Predictions.read(tmp_path / "out" / place).scores, expected, atol=1e-6)


def test_folds_that_the_search_of_a_stream_read_are_kept_out_of_the_headline(runs: Runs, tmp_path: Path) -> None:
    metrics = _fused(runs, tmp_path, epochs=1)
    assert [(split["name"], split["seen_by_search"]) for split in metrics["splits"]] == [
        ("1", False), ("2", True), ("3", True),
    ]  # fmt: skip
    assert metrics["headline"]["splits"] == ["1"]
    assert "did not read" in metrics["headline"]["what"]
    assert metrics["headline"]["is_better"] is False
    assert "from 2 groups: it takes 6" in metrics["headline"]["conclusion"]
    assert "no interval" in metrics["headline"]["conclusion"]
    assert metrics["headline"]["rows"][0]["ua_interval"] is None, "two speakers"
    assert any("test fold(s) 2, 3:" in line for line in _json(tmp_path / "out" / "run.json")["warnings"])


def test_parameters_of_streams_and_fusion_stand_apart(runs: Runs, tmp_path: Path) -> None:
    rows = {row["name"]: row["parameters"] for row in _fused(runs, tmp_path, epochs=1)["all_splits"]["rows"]}
    own = [_json(run / "metrics.json")["parameters"] for run in (runs.one, runs.two)]
    mlp = 4 * 4 + 4 + 4 * 2 + 2 + 2 * 2 + 2
    assert rows[str(runs.one)] == {"streams": [own[0]], "fusion": 0, "total": own[0]}
    assert rows["fusion MLP"] == {"streams": own, "fusion": mlp, "total": sum(own) + mlp}
    assert rows["temperature-scaled averaging"]["fusion"] == 2
    assert rows["averaging"]["fusion"] == 0


def test_the_run_says_what_was_fused_and_how(runs: Runs, tmp_path: Path) -> None:
    metrics = _fused(runs, tmp_path, epochs="chosen", argv=("fuse", "a", "b"))
    record = _json(tmp_path / "out" / "run.json")
    assert (record["kind"], record["status"], record["mode"]) == ("fuse", "done", "inner_oof")
    assert record["streams"] == [str(runs.one), str(runs.two)]
    assert record["command"] == "audionas fuse a b"
    assert all(1 <= each["epochs"] <= 100 for each in metrics["epochs"])


def test_the_papers_reading_takes_training_clips_and_chooses_on_validation_clips(runs: Runs, tmp_path: Path) -> None:
    out = fuse(FuseRequest((runs.best_one, runs.best_two), is_paper=True, epochs=6, out=tmp_path / "out"))
    place = Path("split_1") / "seed_0" / "predictions.csv"
    parts = [read_predictions(run / place) for run in (runs.best_one, runs.best_two)]
    clips = {
        name: FusionClips(np.stack([part[name].scores for part in parts]), parts[0][name].truth)
        for name in ("train", "validation", "test")
    }
    expected = fit_mlp(clips["train"], 0, epochs=6, judge=clips["validation"])
    np.testing.assert_allclose(
        Predictions.read(out / place).scores, expected(clips["test"].probabilities), atol=1e-6
    )  # fmt: skip
    metrics = _json(out / "metrics.json")
    assert metrics["mode"] == "paper"
    assert metrics["epochs"][0] == {"split": "1", "seed": 0, "epochs": expected.epochs}


def test_three_streams_are_fused_too(runs: Runs, tmp_path: Path) -> None:
    shutil.copytree(runs.one, tmp_path / "third")
    out = fuse(FuseRequest((runs.one, runs.two, tmp_path / "third"), epochs=1, out=tmp_path / "out"))
    rows = _json(out / "metrics.json")["all_splits"]["rows"]
    assert rows[3]["parameters"]["fusion"] == 6 * 6 + 6 + 6 * 2 + 2 + 2 * 2 + 2
    assert len(rows[3]["parameters"]["streams"]) == 3


def test_a_search_stands_for_the_one_retraining_in_it(runs: Runs, tmp_path: Path) -> None:
    holder = tmp_path / "holder"
    shutil.copytree(runs.search, holder)
    with pytest.raises(RunError, match=r"holds no retraining; run audionas retrain .* --inner-folds 3"):
        fuse(FuseRequest((runs.one, holder), out=tmp_path / "out"))
    shutil.copytree(runs.two, holder / "retrained")
    out = fuse(FuseRequest((runs.one, holder), epochs=1, out=tmp_path / "out"))
    assert _json(out / "run.json")["streams"][1] == str(holder / "retrained")
    shutil.copytree(runs.two, holder / "retrained-2")
    with pytest.raises(RunError, match=r"holds 2 retrainings \(retrained, retrained-2\); name one of them"):
        fuse(FuseRequest((runs.one, holder), out=tmp_path / "again"))


def test_a_run_without_inner_folds_says_what_to_do_and_why_other_splits_do_not_help(runs: Runs, tmp_path: Path) -> None:
    with pytest.raises(
        RunError,
        match=r"best_one: no inner out-of-fold predictions; run audionas retrain ... --inner-folds 3. "
        "They train the fusion; test predictions of the other splits are refused: the networks that made them were "
        "trained on this split",
    ):
        fuse(FuseRequest((runs.one, runs.best_one), out=tmp_path / "out"))
    with pytest.raises(
        RunError, match=r"no validation predictions; run audionas retrain ... --select best. --paper needs them to"
    ):
        fuse(FuseRequest((runs.one, runs.two), is_paper=True, out=tmp_path / "out"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("record", "options", "message"),
    [
        ({"seeds": [0]}, {}, r"cannot be fused, they differ in seeds: 0, 1 and 0; retrain one with"),
        ({}, {"inner_folds": 3}, r"cannot be fused, they differ in inner folds: 2 and 3"),
    ],
)
def test_runs_retrained_otherwise_are_refused_with_both_values(
    runs: Runs, changed: Changed, tmp_path: Path, record: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    other = changed(options=_json(runs.two / "run.json")["options"] | options, **record)
    with pytest.raises(RunError, match=message):
        fuse(FuseRequest((runs.one, other), out=tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_runs_on_other_data_are_refused_with_every_difference(runs: Runs, changed: Changed, tmp_path: Path) -> None:
    copy = changed()
    table = (copy / "manifest.csv").read_text(encoding="utf-8").replace(",high,", ",loud,")
    (copy / "manifest.csv").write_text(table, encoding="utf-8")
    document = _json(copy / "manifest.json") | {"labels": ["loud", "low"]}
    (copy / "manifest.json").write_text(json.dumps(document))
    with pytest.raises(
        RunError, match=r"differ in labels: high, low and loud, low; manifest sha256: [0-9a-f]{12} and [0-9a-f]{12}"
    ):
        fuse(FuseRequest((runs.one, copy), out=tmp_path / "out"))


def test_other_folds_are_refused_by_name(runs: Runs, changed: Changed, tmp_path: Path) -> None:
    copy = changed()
    table = pd.read_csv(copy / "manifest.csv", dtype=str, keep_default_na=False)
    table["fold"] = table["fold"].replace("3", "9")
    table.to_csv(copy / "manifest.csv", index=False)
    with pytest.raises(RunError, match="differ in folds: 1, 2, 3 and 1, 2, 9; manifest sha256: "):
        fuse(FuseRequest((runs.one, copy), out=tmp_path / "out"))


def test_inner_folds_of_other_clips_are_refused(runs: Runs, changed: Changed, tmp_path: Path) -> None:
    copy = changed()
    places = [copy / "split_2" / "seed_0" / f"inner_{k}" / "predictions.csv" for k in (1, 2)]
    texts = [place.read_text() for place in places]
    for place, text in zip(places, reversed(texts), strict=True):
        place.write_text(text)
    with pytest.raises(RunError, match=r"split 2, seed 0: .* have other inner folds \(16 of 16 clips in another one\)"):
        fuse(FuseRequest((runs.one, copy), out=tmp_path / "out"))


def _first(part: Predictions, n: int) -> Predictions:
    return Predictions(part.clips[:n], part.groups[:n], part.truth[:n], part.scores[:n], part.labels, part.part)


def test_a_table_with_fewer_clips_is_refused(runs: Runs, changed: Changed, tmp_path: Path) -> None:
    copy = changed(lambda parts: parts.update(inner_oof=_first(parts["inner_oof"], 10)))
    with pytest.raises(RunError, match=r"split 2, seed 0, part inner_oof: .*other clips \(16 and 10, 10 in both\)"):
        fuse(FuseRequest((runs.one, copy), out=tmp_path / "out"))


def test_the_order_of_clips_in_a_table_means_nothing(runs: Runs, changed: Changed, tmp_path: Path) -> None:
    def turn(parts: dict[str, Predictions]) -> None:
        for name, part in parts.items():
            parts[name] = Predictions(
                part.clips[::-1], part.groups[::-1], part.truth[::-1], part.scores[::-1], part.labels, name
            )

    whole = _fused(runs, tmp_path, epochs=3)["all_splits"]
    turned = _json(fuse(FuseRequest((runs.one, changed(turn)), epochs=3, out=tmp_path / "turned")) / "metrics.json")
    for one, other in zip(whole["rows"][2:], turned["all_splits"]["rows"][2:], strict=True):
        assert one["per_seed"] == other["per_seed"]


def test_a_table_with_other_truth_is_refused(runs: Runs, changed: Changed, tmp_path: Path) -> None:
    def swap(parts: dict[str, Predictions]) -> None:
        test = parts["test"]
        parts["test"] = Predictions(test.clips, test.groups, 1 - test.truth, test.scores, test.labels)

    with pytest.raises(RunError, match=r"part test: .* call one clip's label or group differently"):
        fuse(FuseRequest((runs.one, changed(swap)), out=tmp_path / "out"))


def test_a_table_without_its_part_or_with_other_labels_is_refused(runs: Runs, changed: Changed, tmp_path: Path) -> None:
    copy = changed(lambda parts: parts.pop("inner_oof"))
    with pytest.raises(RunError, match="no inner out-of-fold predictions"):
        fuse(FuseRequest((runs.one, copy), out=tmp_path / "out"))
    path = copy / "split_2" / "seed_0" / "predictions.csv"
    path.write_text((runs.two / "split_2" / "seed_0" / "predictions.csv").read_text().replace("high", "loud"))
    with pytest.raises(RunError, match=r"predictions.csv: labels loud, low; the run has high, low"):
        fuse(FuseRequest((runs.one, copy), out=tmp_path / "out"))


def test_a_planted_leak_is_refused(runs: Runs, tmp_path: Path) -> None:
    """Both streams get the tables of another split, whose inner clips hold this split's test speakers."""
    copies = []
    for name in ("one", "two"):
        copies.append(tmp_path / name)
        shutil.copytree(runs.folder / name, copies[-1])
        shutil.rmtree(copies[-1] / "split_2" / "seed_0")
        shutil.copytree(copies[-1] / "split_3" / "seed_0", copies[-1] / "split_2" / "seed_0")
    with pytest.raises(RunError, match=r"its test clips are not those of split 2; the table is of another split"):
        fuse(FuseRequest(tuple(copies), out=tmp_path / "out"))
    for copy in copies:
        path = copy / "split_2" / "seed_0" / "predictions.csv"
        own = Predictions.read(runs.folder / copy.name / "split_2" / "seed_0" / "predictions.csv")
        write_predictions(path, [own, Predictions.read(path, "inner_oof")])
    with pytest.raises(RunError, match=r"part inner_oof holds clips of 's[0-5]', who is tested in split 2"):
        fuse(FuseRequest(tuple(copies), out=tmp_path / "out"))


def test_one_run_or_one_twice_is_no_fusion(runs: Runs, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="needs two runs or more, got 1: audionas fuse RUN_A RUN_B"):
        fuse(FuseRequest((runs.one,), out=tmp_path / "out"))
    with pytest.raises(SettingsError, match="one: given twice; name each run once"):
        fuse(FuseRequest((runs.one, runs.one), out=tmp_path / "out"))


def test_an_unfinished_retraining_and_a_fusion_are_no_streams(runs: Runs, changed: Changed, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"not finished \(interrupted\); audionas retrain --resume"):
        fuse(FuseRequest((runs.one, changed(status="interrupted")), out=tmp_path / "out"))
    fuse(FuseRequest((runs.one, runs.two), epochs=1, out=tmp_path / "fused"))
    with pytest.raises(RunError, match="is a fuse run, expected retrain or search or nested_search"):
        fuse(FuseRequest((runs.one, tmp_path / "fused"), out=tmp_path / "out"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "--epochs: got 0, must be 1 or more, or chosen"),
        ({"epochs": "chosen", "is_paper": True}, "--epochs chosen: with --paper the validation part chooses already"),
        ({"class_weighting": "sampler"}, "--class-weighting: got 'sampler'; accepted: balanced, none"),
    ],
)
def test_a_wrong_request_is_one_line_and_writes_nothing(
    runs: Runs, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(AudionasError, match=message):
        fuse(FuseRequest((runs.one, runs.two), out=tmp_path / "out", **changes))
    assert not (tmp_path / "out").exists()


def test_a_stopped_fusion_is_made_anew_and_a_finished_one_is_left_alone(runs: Runs, tmp_path: Path) -> None:
    request = FuseRequest((runs.one, runs.two), epochs=1, out=tmp_path / "out")
    fuse(request)
    with pytest.raises(RunError, match="out: holds another run; choose another --out"):
        fuse(request)
    record = _json(tmp_path / "out" / "run.json") | {"status": "running"}
    (tmp_path / "out" / "run.json").write_text(json.dumps(record))
    (tmp_path / "out" / "split_old").mkdir()
    fuse(request)
    assert _json(tmp_path / "out" / "run.json")["status"] == "done"
    assert not (tmp_path / "out" / "split_old").exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").touch()
    with pytest.raises(RunError, match="full: is not empty; choose another --out"):
        fuse(FuseRequest((runs.one, runs.two), out=tmp_path / "full"))
