"""Every pair of runs that cannot be fused is refused, in one line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from audionas.errors import AudionasError, RunError, SettingsError
from audionas.experiment.fuse import FuseRequest, fuse
from audionas.training.predictions import Predictions, read_predictions, write_predictions
from tests.experiment.streams_to_fuse import StreamsToFuse

pytestmark = pytest.mark.slow  # the fixture retrains four times

Changed = Callable[..., Path]


@pytest.fixture
def changed(streams: StreamsToFuse, tmp_path: Path) -> Changed:
    """A copy of stream `two` in which one predictions table, or run.json, is changed."""

    def change(table: Callable[[dict[str, Predictions]], None] | None = None, **record: Any) -> Path:
        copy = tmp_path / "copy"
        shutil.copytree(streams.two, copy)
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


def test_a_run_without_inner_folds_says_what_to_do_and_why_other_splits_do_not_help(
    streams: StreamsToFuse, tmp_path: Path
) -> None:
    with pytest.raises(
        RunError,
        match=r"best_one: no inner out-of-fold predictions; run audionas retrain ... --inner-folds 3. "
        "They train the fusion; test predictions of the other splits are refused: the networks that made them were "
        "trained on this split",
    ):
        fuse(FuseRequest((streams.one, streams.best_one), out=tmp_path / "out"))
    with pytest.raises(
        RunError, match=r"no validation predictions; run audionas retrain ... --select best. --paper needs them to"
    ):
        fuse(FuseRequest((streams.one, streams.two), is_paper=True, out=tmp_path / "out"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("record", "options", "message"),
    [
        ({"seeds": [0]}, {}, r"cannot be fused, they differ in seeds: 0, 1 and 0; retrain one with"),
        ({}, {"inner_folds": 3}, r"cannot be fused, they differ in inner folds: 2 and 3"),
    ],
)
def test_runs_retrained_otherwise_are_refused_with_both_values(
    streams: StreamsToFuse,
    changed: Changed,
    tmp_path: Path,
    record: dict[str, Any],
    options: dict[str, Any],
    message: str,
) -> None:
    other = changed(options=_json(streams.two / "run.json")["options"] | options, **record)
    with pytest.raises(RunError, match=message):
        fuse(FuseRequest((streams.one, other), out=tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_runs_on_other_data_are_refused_with_every_difference(
    streams: StreamsToFuse, changed: Changed, tmp_path: Path
) -> None:
    copy = changed()
    table = (copy / "manifest.csv").read_text(encoding="utf-8").replace(",high,", ",loud,")
    (copy / "manifest.csv").write_text(table, encoding="utf-8")
    document = _json(copy / "manifest.json") | {"labels": ["loud", "low"]}
    (copy / "manifest.json").write_text(json.dumps(document))
    with pytest.raises(
        RunError, match=r"differ in labels: high, low and loud, low; manifest sha256: [0-9a-f]{12} and [0-9a-f]{12}"
    ):
        fuse(FuseRequest((streams.one, copy), out=tmp_path / "out"))


def test_other_folds_are_refused_by_name(streams: StreamsToFuse, changed: Changed, tmp_path: Path) -> None:
    copy = changed()
    table = pd.read_csv(copy / "manifest.csv", dtype=str, keep_default_na=False)
    table["fold"] = table["fold"].replace("3", "9")
    table.to_csv(copy / "manifest.csv", index=False)
    with pytest.raises(RunError, match="differ in folds: 1, 2, 3 and 1, 2, 9; manifest sha256: "):
        fuse(FuseRequest((streams.one, copy), out=tmp_path / "out"))


def test_inner_folds_of_other_clips_are_refused(streams: StreamsToFuse, changed: Changed, tmp_path: Path) -> None:
    copy = changed()
    places = [copy / "split_2" / "seed_0" / f"inner_{k}" / "predictions.csv" for k in (1, 2)]
    texts = [place.read_text() for place in places]
    for place, text in zip(places, reversed(texts), strict=True):
        place.write_text(text)
    with pytest.raises(RunError, match=r"split 2, seed 0: .* have other inner folds \(16 of 16 clips in another one\)"):
        fuse(FuseRequest((streams.one, copy), out=tmp_path / "out"))


def _first(part: Predictions, n: int) -> Predictions:
    return Predictions(part.clips[:n], part.groups[:n], part.truth[:n], part.scores[:n], part.labels, part.part)


def test_a_table_with_fewer_clips_is_refused(streams: StreamsToFuse, changed: Changed, tmp_path: Path) -> None:
    copy = changed(lambda parts: parts.update(inner_oof=_first(parts["inner_oof"], 10)))
    with pytest.raises(RunError, match=r"split 2, seed 0, part inner_oof: .*other clips \(16 and 10, 10 in both\)"):
        fuse(FuseRequest((streams.one, copy), out=tmp_path / "out"))


def test_the_order_of_clips_in_a_table_means_nothing(streams: StreamsToFuse, changed: Changed, tmp_path: Path) -> None:
    def turn(parts: dict[str, Predictions]) -> None:
        for name, part in parts.items():
            parts[name] = Predictions(
                part.clips[::-1], part.groups[::-1], part.truth[::-1], part.scores[::-1], part.labels, name
            )

    whole = _json(fuse(FuseRequest((streams.one, streams.two), epochs=3, out=tmp_path / "out")) / "metrics.json")
    turned = _json(fuse(FuseRequest((streams.one, changed(turn)), epochs=3, out=tmp_path / "turned")) / "metrics.json")
    for one, other in zip(whole["all_splits"]["rows"][2:], turned["all_splits"]["rows"][2:], strict=True):
        assert one["per_seed"] == other["per_seed"]


def test_a_table_with_other_truth_is_refused(streams: StreamsToFuse, changed: Changed, tmp_path: Path) -> None:
    def swap(parts: dict[str, Predictions]) -> None:
        test = parts["test"]
        parts["test"] = Predictions(test.clips, test.groups, 1 - test.truth, test.scores, test.labels)

    with pytest.raises(RunError, match=r"part test: .* call one clip's label or group differently"):
        fuse(FuseRequest((streams.one, changed(swap)), out=tmp_path / "out"))


def test_a_table_without_its_part_or_with_other_labels_is_refused(
    streams: StreamsToFuse, changed: Changed, tmp_path: Path
) -> None:
    copy = changed(lambda parts: parts.pop("inner_oof"))
    with pytest.raises(RunError, match="no inner out-of-fold predictions"):
        fuse(FuseRequest((streams.one, copy), out=tmp_path / "out"))
    path = copy / "split_2" / "seed_0" / "predictions.csv"
    path.write_text((streams.two / "split_2" / "seed_0" / "predictions.csv").read_text().replace("high", "loud"))
    with pytest.raises(RunError, match=r"predictions.csv: labels loud, low; the run has high, low"):
        fuse(FuseRequest((streams.one, copy), out=tmp_path / "out"))


def test_a_planted_leak_is_refused(streams: StreamsToFuse, tmp_path: Path) -> None:
    """Both streams get the tables of another split, whose inner clips hold this split's test speakers."""
    copies = []
    for name in ("one", "two"):
        copies.append(tmp_path / name)
        shutil.copytree(streams.folder / name, copies[-1])
        shutil.rmtree(copies[-1] / "split_2" / "seed_0")
        shutil.copytree(copies[-1] / "split_3" / "seed_0", copies[-1] / "split_2" / "seed_0")
    with pytest.raises(RunError, match=r"its test clips are not those of split 2; the table is of another split"):
        fuse(FuseRequest(tuple(copies), out=tmp_path / "out"))
    for copy in copies:
        path = copy / "split_2" / "seed_0" / "predictions.csv"
        own = Predictions.read(streams.folder / copy.name / "split_2" / "seed_0" / "predictions.csv")
        write_predictions(path, [own, Predictions.read(path, "inner_oof")])
    with pytest.raises(RunError, match=r"part inner_oof holds clips of 's[0-5]', who is tested in split 2"):
        fuse(FuseRequest(tuple(copies), out=tmp_path / "out"))


def test_one_run_or_one_twice_is_no_fusion(streams: StreamsToFuse, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="needs two runs or more, got 1: audionas fuse RUN_A RUN_B"):
        fuse(FuseRequest((streams.one,), out=tmp_path / "out"))
    with pytest.raises(SettingsError, match="one: given twice; name each run once"):
        fuse(FuseRequest((streams.one, streams.one), out=tmp_path / "out"))


def test_an_unfinished_retraining_and_a_fusion_are_no_streams(
    streams: StreamsToFuse, changed: Changed, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match=r"not finished \(interrupted\); audionas retrain --resume"):
        fuse(FuseRequest((streams.one, changed(status="interrupted")), out=tmp_path / "out"))
    fuse(FuseRequest((streams.one, streams.two), epochs=1, out=tmp_path / "fused"))
    with pytest.raises(RunError, match="is a fuse run, expected retrain or search or nested_search"):
        fuse(FuseRequest((streams.one, tmp_path / "fused"), out=tmp_path / "out"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "--epochs: got 0, must be 1 or more, or chosen"),
        ({"epochs": "chosen", "is_paper": True}, "--epochs chosen: with --paper the validation part chooses already"),
        ({"class_weighting": "sampler"}, "--class-weighting: got 'sampler'; accepted: balanced, none"),
    ],
)
def test_a_wrong_request_is_one_line_and_writes_nothing(
    streams: StreamsToFuse, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(AudionasError, match=message):
        fuse(FuseRequest((streams.one, streams.two), out=tmp_path / "out", **changes))
    assert not (tmp_path / "out").exists()
