"""`--select best_on_test`: only when asked for, and marked wherever its scores are read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audionas.audio.manifest import Manifest
from audionas.errors import RunError, SettingsError
from audionas.experiment import retrain_work
from audionas.experiment.chosen_on_test import MARK, is_chosen_on_test
from audionas.experiment.fold_rows import FoldRows, fold_rows
from audionas.experiment.fuse_streams import find_streams
from audionas.experiment.recompute import recompute_retraining
from audionas.experiment.results_table import results_table
from audionas.experiment.retrain import RetrainRequest, retrain
from audionas.experiment.run_folder import RunFolder
from audionas.experiment.verify import verify
from audionas.report import write_report
from audionas.report.methods import methods_paragraph
from audionas.training.predictions import Predictions
from tests.training.toys import toy_manifest


def _json(path: Path) -> Any:
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def _chosen_once(_searched_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chosen")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AUDIONAS_CACHE", str(folder / "cache"))
        return retrain(
            RetrainRequest((_searched_once,), epochs=5, seeds=1, threads=1, select="best_on_test", out=folder / "run")
        )


@pytest.fixture
def chosen(_chosen_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(_chosen_once, tmp_path / "chosen"))


def test_all_search_clips_train_and_no_part_validates() -> None:
    manifest = toy_manifest(24)
    found = fold_rows(manifest, range(8, 24), range(8), (), "best_on_test", 0)
    assert found == FoldRows(tuple(range(8, 24)), (), tuple(range(8)))


@pytest.mark.parametrize(
    "changes,words",
    [
        (
            {"final": True},
            "--select best_on_test and --final: a final model has no test clips; use --select best or last",
        ),
        (
            {"inner_folds": 2},
            "--select best_on_test and --inner-folds: inner folds are for audionas fuse, which refuses",
        ),
        ({"epochs_tried": (2, 3)}, "--select best_on_test and several values of --learning-rate or --epochs"),
        ({"settings_of": Path("x")}, "--settings-of and --select best_on_test: both choose the epoch"),
        ({"select": "best_on_tests"}, "--select: got 'best_on_tests'; accepted: last, best, best_on_test"),
    ],
)
def test_what_would_hide_it_is_refused(searched: Path, changes: dict[str, Any], words: str) -> None:
    fields = {"select": "best_on_test", **changes}
    with pytest.raises(SettingsError, match=words):
        retrain(RetrainRequest((searched,), epochs=2, seeds=1, threads=1, **fields))


@pytest.mark.slow
def test_the_epoch_is_the_one_that_scores_best_on_the_test_fold(chosen: Path) -> None:
    for folder in sorted(chosen.glob("split_*/seed_0")):
        history = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
        by_epoch = [record["test_ua"] for record in history]
        assert len(by_epoch) == 5
        assert not any("validation_ua" in record for record in history)
        found = Predictions.read(folder / "predictions.csv")
        said = found.scores.argmax(axis=1)
        recalls = [float(np.mean(said[found.truth == k] == k)) for k in (0, 1)]
        assert sum(recalls) / 2 == pytest.approx(max(by_epoch))
        result = _json(folder / "result.json")
        assert result["epoch_used"] == int(np.argmax(by_epoch))
        assert (result["epoch_chosen_on"], result["n_validation"]) == ("test", 0)


@pytest.mark.slow
def test_run_and_metrics_say_so_and_are_verified(chosen: Path) -> None:
    run, metrics = _json(chosen / "run.json"), _json(chosen / "metrics.json")
    assert run["select"] == "best_on_test"
    assert MARK in run["warnings"]
    assert metrics["optimistic"] == MARK
    assert metrics["headline"]["what"].startswith(f"{MARK}; pooled UA over the test folds")
    assert metrics["all_splits"]["what"].startswith(MARK)
    assert verify(chosen).mismatches == []


@pytest.mark.slow
def test_the_mark_cannot_be_edited_away(chosen: Path) -> None:
    record = _json(chosen / "run.json") | {"select": "last"}
    (chosen / "run.json").write_text(json.dumps(record))
    assert is_chosen_on_test(chosen, record)
    stored = _json(chosen / "metrics.json")
    assert recompute_retraining(RunFolder.open(chosen), stored)["optimistic"] == MARK
    del stored["optimistic"]
    stored["headline"]["what"] = stored["headline"]["what"].removeprefix(f"{MARK}; ")
    (chosen / "metrics.json").write_text(json.dumps(stored))
    keys = {mismatch.key for mismatch in verify(chosen).mismatches}
    assert {"optimistic", "headline.what"} <= keys
    with pytest.raises(RunError, match="cannot be ranked"):
        results_table([chosen])


@pytest.mark.slow
def test_it_is_neither_ranked_nor_fused(chosen: Path, retrained_once: Path) -> None:
    words = (
        r"cannot be {}: the epoch was chosen on the test folds \(--select best_on_test\); retrain it with --select last"
    )
    for runs in ([chosen], [retrained_once, chosen]):
        with pytest.raises(RunError, match=words.format("ranked")):
            results_table(runs)
    with pytest.raises(RunError, match=words.format("fused")):
        find_streams([chosen, retrained_once])
    rows = results_table([retrained_once, chosen], unranked=True).rows
    own = [row for row in rows if Path(row.run) == chosen and row.kind == "system"]
    assert [MARK in row.remark for row in own] == [True]
    assert "select best_on_test" in own[0].rules


@pytest.mark.slow
def test_page_and_methods_call_it_optimistic(chosen: Path) -> None:
    page = write_report(chosen).read_text()
    assert "has no clean score, because its epochs were chosen on the test folds" in page
    assert "is optimistic and not comparable" in page
    assert "ON THE TEST FOLD ITSELF" in page
    assert "ON THE TEST CLIPS of each fold, so the scores are optimistic and not comparable" in methods_paragraph(
        chosen
    )


@pytest.mark.slow
def test_even_so_test_clips_neither_train_nor_normalise(searched: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cheating(manifest: Manifest, search: Any, test: Any, *rest: Any) -> FoldRows:
        honest = fold_rows(manifest, search, test, *rest)
        return FoldRows((*honest.train, test[0]), (), honest.test)

    monkeypatch.setattr(retrain_work, "fold_rows", cheating)
    with pytest.raises(RunError, match="which is tested, is in the training part; nothing was scored"):
        retrain(RetrainRequest((searched,), epochs=1, seeds=1, threads=1, select="best_on_test"))
