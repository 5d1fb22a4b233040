"""Fusion of two retrained streams on the tiny corpus: what it leaves."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from audionas.errors import RunError
from audionas.experiment.fuse import FuseRequest, fuse
from audionas.training.fusion import FusionClips, fit_mlp
from audionas.training.predictions import Predictions, read_predictions
from tests.experiment.streams_to_fuse import StreamsToFuse

pytestmark = pytest.mark.slow  # the fixture retrains four times


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _fused(streams: StreamsToFuse, tmp_path: Path, **changes: Any) -> Any:
    return _json(fuse(FuseRequest((streams.one, streams.two), out=tmp_path / "out", **changes)) / "metrics.json")


def _ua(tables: list[pd.DataFrame], scores: list[np.ndarray]) -> float:
    """Pooled UA, written out."""
    truth = np.concatenate([table["label"].to_numpy() for table in tables])
    predicted = np.concatenate([np.array(["high", "low"])[each.argmax(axis=1)] for each in scores])
    return float(np.mean([np.mean(predicted[truth == label] == label) for label in ("high", "low")]))


def test_every_row_is_scored_on_the_same_clips_by_its_formula(streams: StreamsToFuse, tmp_path: Path) -> None:
    found = _fused(streams, tmp_path, epochs=5)["all_splits"]
    expected: dict[str, list[float]] = {str(streams.one): [], str(streams.two): [], "averaging": [], "product": []}
    for seed in (0, 1):
        places = [f"split_{split}/seed_{seed}/predictions.csv" for split in "123"]
        one, two = ([pd.read_csv(run / place) for place in places] for run in (streams.one, streams.two))
        one, two = ([t[t["part"] == "test"].sort_values("clip") for t in tables] for tables in (one, two))
        p, q = ([t[["p:high", "p:low"]].to_numpy() for t in tables] for tables in (one, two))
        expected[str(streams.one)].append(_ua(one, p))
        expected[str(streams.two)].append(_ua(two, q))
        expected["averaging"].append(_ua(one, [(a + b) / 2 for a, b in zip(p, q, strict=True)]))
        expected["product"].append(_ua(one, [a * b for a, b in zip(p, q, strict=True)]))
    rows = {row["name"]: row for row in found["rows"]}
    assert list(rows) == [
        str(streams.one), str(streams.two), "fusion MLP", "averaging", "temperature-scaled averaging", "product",
    ]  # fmt: skip
    for name, ua in expected.items():
        assert rows[name]["ua"] == pytest.approx(np.mean(ua))
        assert rows[name]["ua_sd"] == pytest.approx(np.std(ua, ddof=1))
    assert (found["n_clips"], found["n_groups"], found["seeds"]) == (24, 6, [0, 1])
    assert {record["minus"] for record in found["differences"]} == set(rows) - {"fusion MLP"}
    for record in found["differences"]:
        assert record["ua"] == pytest.approx(rows["fusion MLP"]["ua"] - rows[record["minus"]]["ua"])


def test_the_mlp_is_trained_on_inner_out_of_fold_probabilities_of_the_same_split_and_seed(
    streams: StreamsToFuse, tmp_path: Path
) -> None:
    _fused(streams, tmp_path, epochs=5)
    place = Path("split_3") / "seed_1" / "predictions.csv"
    inner = [Predictions.read(run / place, "inner_oof") for run in (streams.one, streams.two)]
    test = [Predictions.read(run / place) for run in (streams.one, streams.two)]
    assert inner[0].clips == inner[1].clips
    train = FusionClips(np.stack([each.scores for each in inner]), inner[0].truth)
    expected = fit_mlp(train, 1, epochs=5)(np.stack([each.scores for each in test]))
    np.testing.assert_allclose(Predictions.read(tmp_path / "out" / place).scores, expected, atol=1e-6)


def test_folds_that_the_search_of_a_stream_read_are_kept_out_of_the_headline(
    streams: StreamsToFuse, tmp_path: Path
) -> None:
    metrics = _fused(streams, tmp_path, epochs=1)
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


def test_parameters_of_streams_and_fusion_stand_apart(streams: StreamsToFuse, tmp_path: Path) -> None:
    rows = {row["name"]: row["parameters"] for row in _fused(streams, tmp_path, epochs=1)["all_splits"]["rows"]}
    own = [_json(run / "metrics.json")["parameters"] for run in (streams.one, streams.two)]
    mlp = 4 * 4 + 4 + 4 * 2 + 2 + 2 * 2 + 2
    assert rows[str(streams.one)] == {"streams": [own[0]], "fusion": 0, "total": own[0]}
    assert rows["fusion MLP"] == {"streams": own, "fusion": mlp, "total": sum(own) + mlp}
    assert rows["temperature-scaled averaging"]["fusion"] == 2
    assert rows["averaging"]["fusion"] == 0


def test_the_run_says_what_was_fused_and_how(streams: StreamsToFuse, tmp_path: Path) -> None:
    metrics = _fused(streams, tmp_path, epochs="chosen", argv=("fuse", "a", "b"))
    record = _json(tmp_path / "out" / "run.json")
    assert (record["kind"], record["status"], record["mode"]) == ("fuse", "done", "inner_oof")
    assert record["streams"] == [str(streams.one), str(streams.two)]
    assert record["command"] == "audionas fuse a b"
    assert all(1 <= each["epochs"] <= 100 for each in metrics["epochs"])


def test_the_papers_reading_takes_training_clips_and_chooses_on_validation_clips(
    streams: StreamsToFuse, tmp_path: Path
) -> None:
    out = fuse(FuseRequest((streams.best_one, streams.best_two), is_paper=True, epochs=6, out=tmp_path / "out"))
    place = Path("split_1") / "seed_0" / "predictions.csv"
    parts = [read_predictions(run / place) for run in (streams.best_one, streams.best_two)]
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


def test_three_streams_are_fused_too(streams: StreamsToFuse, tmp_path: Path) -> None:
    shutil.copytree(streams.one, tmp_path / "third")
    out = fuse(FuseRequest((streams.one, streams.two, tmp_path / "third"), epochs=1, out=tmp_path / "out"))
    rows = _json(out / "metrics.json")["all_splits"]["rows"]
    assert rows[3]["parameters"]["fusion"] == 6 * 6 + 6 + 6 * 2 + 2 + 2 * 2 + 2
    assert len(rows[3]["parameters"]["streams"]) == 3


def test_a_search_stands_for_the_one_retraining_in_it(streams: StreamsToFuse, tmp_path: Path) -> None:
    holder = tmp_path / "holder"
    shutil.copytree(streams.search, holder)
    with pytest.raises(RunError, match=r"holds no retraining; run audionas retrain .* --inner-folds 3"):
        fuse(FuseRequest((streams.one, holder), out=tmp_path / "out"))
    shutil.copytree(streams.two, holder / "retrained")
    out = fuse(FuseRequest((streams.one, holder), epochs=1, out=tmp_path / "out"))
    assert _json(out / "run.json")["streams"][1] == str(holder / "retrained")
    shutil.copytree(streams.two, holder / "retrained-2")
    with pytest.raises(RunError, match=r"holds 2 retrainings \(retrained, retrained-2\); name one of them"):
        fuse(FuseRequest((streams.one, holder), out=tmp_path / "again"))


def test_a_stopped_fusion_is_made_anew_and_a_finished_one_is_left_alone(streams: StreamsToFuse, tmp_path: Path) -> None:
    request = FuseRequest((streams.one, streams.two), epochs=1, out=tmp_path / "out")
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
        fuse(FuseRequest((streams.one, streams.two), out=tmp_path / "full"))
