"""Inner out-of-fold predictions: whole groups, fresh networks, the same folds for every seed, killed and resumed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audionas.audio.folds import find_split
from audionas.audio.manifest import Manifest
from audionas.errors import ManifestError
from audionas.experiment import inner_folds
from audionas.experiment.corpus import load_corpus
from audionas.experiment.fold_rows import FoldRows
from audionas.experiment.fold_training import TrainingPlan, train_network
from audionas.experiment.genotype_sources import read_source, source_features
from audionas.experiment.inner_folds import inner_fold_clips, inner_fold_rows, untrained_classes
from audionas.experiment.retrain import RetrainRequest, resume_retraining, retrain
from audionas.experiment.talk import Silent
from audionas.seeding import derive
from audionas.training.predictions import read_predictions
from audionas.training.recipe import Recipe
from tests.training.toys import toy_manifest

Retrain = Callable[..., Path]


@pytest.fixture
def retrained(searched: Path, tmp_path: Path) -> Retrain:
    def run(out: str, **changes: Any) -> Path:
        fields: dict[str, Any] = {"epochs": 2, "seeds": 1, "threads": 1, "inner_folds": 2, "out": tmp_path / out}
        return retrain(RetrainRequest((searched,), **(fields | changes)))

    return run


def test_inner_folds_never_split_a_group_and_hold_every_clip_once() -> None:
    manifest = toy_manifest(24)
    folds = inner_fold_rows(manifest, range(4, 24), 3)
    assert sorted(row for fold in folds for row in fold) == list(range(4, 24))
    groups = [{manifest.clips[row].group for row in fold} for fold in folds]
    assert sum(map(len, groups)) == len(set().union(*groups)) == 10
    for fold in folds:
        assert np.ptp(np.bincount(manifest.targets[list(fold)])) <= 2, "each class about as often in each fold"


def test_too_few_groups_are_one_line() -> None:
    with pytest.raises(ManifestError, match=r"2 training group\(s\) in a split, fewer than --inner-folds 3; use fewer"):
        inner_fold_rows(toy_manifest(24), range(4), 3)


def test_a_class_of_one_group_is_named_before_an_inner_training_misses_it() -> None:
    manifest = toy_manifest(24)
    even = [row for row in range(24) if row % 2 == 0]
    assert untrained_classes(manifest, range(24), 3) == []
    assert untrained_classes(manifest, [*even, 1], 2) == ["odd"]
    assert untrained_classes(manifest, even, 2) == [], "a class that no training clip has is another warning"


def test_every_training_clip_is_predicted_by_a_network_trained_without_its_group(
    retrained: Retrain, tmp_path: Path
) -> None:
    """The first inner training of split 2 is repeated here from its rows."""
    run = retrained("a")
    folder = run / "split_2" / "seed_0"
    found = read_predictions(folder / "predictions.csv")
    assert list(found) == ["test", "train", "inner_oof"]
    assert sorted(found["inner_oof"].clips) == sorted(found["train"].clips)
    assert not set(found["inner_oof"].groups) & set(found["test"].groups)
    assert not np.allclose(
        found["inner_oof"].scores[np.argsort(found["inner_oof"].clips)],
        found["train"].scores[np.argsort(found["train"].clips)],
    )
    manifest = Manifest.read(run)
    split = find_split(manifest, "2")
    held_out = inner_fold_rows(manifest, split.search, 2)[0]
    assert tuple(manifest.clips[row].clip for row in held_out) == inner_fold_clips(folder, 2)[0]
    source = read_source(run / "split_2" / "genotype.json")
    record = json.loads((run / "run.json").read_text())
    corpus = load_corpus(manifest, Path(record["features_folder"]), source_features(source), Silent())
    others = tuple(row for row in split.search if row not in held_out)
    plan = TrainingPlan(Recipe(), 2, 16)
    trained = train_network(
        source.genotype, corpus, FoldRows(others, (), held_out), plan, tmp_path / "again", derive(0, "inner fold", 1)
    )
    expected = trained.predict(held_out, "inner_oof")
    np.testing.assert_allclose(found["inner_oof"].scores[: len(held_out)], expected.scores, atol=1e-8)
    assert found["inner_oof"].clips[: len(held_out)] == expected.clips


def test_inner_folds_are_the_same_whatever_the_seed_and_leave_no_weights(retrained: Retrain) -> None:
    run = retrained("a", seeds=2, epochs=1)
    clips = [inner_fold_clips(run / "split_1" / f"seed_{seed}", 2) for seed in (0, 1)]
    assert clips[0] == clips[1]
    scores = [read_predictions(run / "split_1" / f"seed_{seed}" / "predictions.csv")["inner_oof"] for seed in (0, 1)]
    assert not np.allclose(scores[0].scores, scores[1].scores), "another seed starts from other weights"
    files = sorted(path.name for path in (run / "split_1" / "seed_0" / "inner_1").iterdir())
    assert files == ["history.jsonl", "predictions.csv", "result.json"]
    without = retrained("b", inner_folds=0, epochs=1)
    place = Path("split_1") / "seed_0"
    assert list(read_predictions(without / place / "predictions.csv")) == ["test", "train"]
    tests = [read_predictions(each / place / "predictions.csv")["test"].scores for each in (run, without)]
    assert np.array_equal(*tests), "inner trainings change nothing of the split's own"


def test_the_final_model_has_no_inner_folds(retrained: Retrain) -> None:
    run = retrained("a", final=True, epochs=1)
    assert not list((run / "final").glob("inner_*"))


def test_a_stopped_inner_training_goes_on_and_finished_ones_are_kept(
    retrained: Retrain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = retrained("whole")
    calls: list[Path] = []

    def counted(*args: Any, **kwargs: Any) -> Any:
        calls.append(args[4])
        if len(calls) == 4:
            raise KeyboardInterrupt
        return train_network(*args, **kwargs)

    monkeypatch.setattr(inner_folds, "train_network", counted)
    with pytest.raises(KeyboardInterrupt):
        retrained("torn")
    torn = tmp_path / "torn"
    assert (torn / "split_2" / "seed_0" / "inner_1" / "result.json").exists()
    assert not (torn / "split_2" / "seed_0" / "predictions.csv").exists(), "written when all are there"
    resume_retraining(torn)
    assert len(calls) == 3 * 2 + 1, "only the one under way is trained again"
    for split in "123":
        place = Path(f"split_{split}") / "seed_0" / "predictions.csv"
        assert (whole / place).read_text() == (torn / place).read_text()
