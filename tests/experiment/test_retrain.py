"""Retraining: which folds count, what it writes, and leaks that it must not have."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from audionas.audio.folds import find_split
from audionas.audio.manifest import Manifest
from audionas.errors import RunError, SettingsError
from audionas.experiment.fold_rows import fold_rows
from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.retrain import RetrainRequest, retrain
from audionas.experiment.search import SearchRequest, search
from audionas.training import surviving
from audionas.training.predictions import Predictions, read_predictions
from tests.experiment.conftest import FEATURES

BY_SPEAKER = PrepareOptions(group_from="^(s[0-9])", folds="3")
Retrain = Callable[..., Path]


@pytest.fixture
def tiny_search(tiny_corpus: Path, tiny_space: Path, tmp_path: Path) -> Retrain:
    """Runs a search of one epoch on the tiny corpus."""

    def run(**changes: Any) -> Path:
        fields: dict[str, Any] = {"epochs": 1, "threads": 1, "out": tmp_path / "run", "preparation": BY_SPEAKER}
        return search(SearchRequest(tiny_corpus, str(tiny_space), **(fields | changes)))

    return run


@pytest.fixture
def retrained(searched: Path) -> Retrain:
    def run(*sources: Path, **changes: Any) -> Path:
        return retrain(RetrainRequest(sources or (searched,), **({"epochs": 2, "seeds": 2, "threads": 1} | changes)))

    return run


def _json(path: Path) -> Any:
    return json.loads(path.read_text())


def test_folds_that_the_search_read_are_scored_but_kept_out_of_the_headline(retrained_once: Path) -> None:
    metrics = _json(retrained_once / "metrics.json")
    assert [(split["name"], split["seen_by_search"]) for split in metrics["splits"]] == [
        ("1", False),
        ("2", True),
        ("3", True),
    ]
    assert metrics["headline"]["splits"] == ["1"]
    assert metrics["headline"]["n_clips"] == 8
    assert metrics["all_splits"]["n_clips"] == 24
    assert "did not read" in metrics["headline"]["what"]


def test_a_copied_genotype_still_tells_whose_clips_found_it(
    searched: Path, tiny_corpus: Path, tmp_path: Path, retrained: Retrain
) -> None:
    shutil.copy(searched / "genotype.json", tmp_path / "gift.json")
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(tiny_corpus, elsewhere)
    for path in sorted(elsewhere.rglob("s0_*.wav")):
        path.rename(path.with_name(path.name.replace("s0_", "s9_")))
    options = PrepareOptions(group_from="^(s[0-9])", folds="2")
    run = retrained(tmp_path / "gift.json", data=elsewhere, preparation=options, out=tmp_path / "out", seeds=1)
    metrics = _json(run / "metrics.json")
    assert all(split["seen_by_search"] for split in metrics["splits"])
    assert metrics["headline"] is None
    assert metrics["all_splits"]["ua"] >= 0


def test_new_speakers_were_not_seen(searched: Path, tiny_corpus: Path, tmp_path: Path, retrained: Retrain) -> None:
    manifest = Manifest.read(searched)
    fresh = {manifest.clips[row].group for row in find_split(manifest, "1").test}
    for path in sorted(tiny_corpus.rglob("*.wav")):
        if path.name[:2] in fresh:
            target = tmp_path / "fresh" / path.parent.name / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    options = PrepareOptions(group_from="^(s[0-9])", folds="2")
    run = retrained(
        searched / "genotype.json", data=tmp_path / "fresh", preparation=options, out=tmp_path / "out", seeds=1
    )
    assert _json(run / "metrics.json")["headline"]["splits"] == ["1", "2"]


def test_headline_is_the_mean_over_seeds_of_the_pooled_recalls(retrained_once: Path) -> None:
    run = retrained_once
    metrics = _json(run / "metrics.json")
    each = []
    for seed in (0, 1):
        table = pd.read_csv(run / "split_1" / f"seed_{seed}" / "predictions.csv", dtype=str)
        table = table[table["part"] == "test"]
        right = table["label"] == table["predicted"]
        each.append(np.mean([right[table["label"] == label].mean() for label in ("high", "low")]))
    assert metrics["headline"]["ua"] == pytest.approx(np.mean(each))
    assert metrics["headline"]["ua_sd"] == pytest.approx(np.std(each, ddof=1))


def test_test_clips_change_nothing_that_is_trained(
    searched: Path, tiny_corpus: Path, tmp_path: Path, retrained: Retrain
) -> None:
    """A planted change: the test speakers of fold 1 become noise, in copy; the weights must stay the same."""
    import soundfile

    manifest = Manifest.read(searched)
    test = {manifest.clips[row].path for row in find_split(manifest, "1").test}
    changed = tmp_path / "changed"
    shutil.copytree(tiny_corpus, changed)
    rng = np.random.default_rng(1)
    for path in sorted(test):
        soundfile.write(changed / path, rng.normal(scale=0.2, size=4000), 8000)
    first = retrained(searched, out=tmp_path / "a", seeds=1)
    second = retrained(searched / "genotype.json", data=changed, preparation=BY_SPEAKER, out=tmp_path / "b", seeds=1)
    one, other = (load_file(run / "split_1" / "seed_0" / "weights.safetensors") for run in (first, second))
    assert all(np.array_equal(one[name].numpy(), other[name].numpy()) for name in one)
    scores = [Predictions.read(run / "split_1" / "seed_0" / "predictions.csv").scores for run in (first, second)]
    assert not np.allclose(*scores), "the test clips did change"


def test_best_epoch_is_chosen_by_two_groups_of_the_training_part(searched: Path) -> None:
    manifest = Manifest.read(searched)
    split = find_split(manifest, "1")
    rows = fold_rows(manifest, split.search, split.test, (), "best", seed=0)
    groups = {
        name: {manifest.clips[row].group for row in getattr(rows, name)} for name in ("train", "validation", "test")
    }
    assert len(groups["validation"]) >= 2
    assert not groups["validation"] & groups["train"]
    assert not groups["validation"] & groups["test"]
    assert not groups["train"] & groups["test"]


def test_select_best_records_the_epoch_that_scored_highest(retrained: Retrain) -> None:
    run = retrained(select="best", seeds=1, epochs=4)
    folder = run / "split_1" / "seed_0"
    history = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    scores = [line["validation_ua"] for line in history]
    assert _json(folder / "result.json")["epoch_used"] == scores.index(max(scores))


def test_training_and_validation_clips_are_predicted_too(retrained: Retrain) -> None:
    folder = retrained(select="best", seeds=1) / "split_1" / "seed_0"
    result, found = _json(folder / "result.json"), read_predictions(folder / "predictions.csv")
    assert list(found) == ["test", "train", "validation"]
    sizes = {name: len(part.clips) for name, part in found.items()}
    assert sizes == {"test": 8, "train": result["n_train"], "validation": result["n_validation"]}
    groups = [set(part.groups) for part in found.values()]
    assert sum(map(len, groups)) == len(set().union(*groups)) == 6
    history = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    validation = found["validation"]
    right = validation.scores.argmax(axis=1) == validation.truth
    ua = np.mean([right[validation.truth == c].mean() for c in (0, 1)])
    assert ua == pytest.approx(history[result["epoch_used"]]["validation_ua"])


def test_default_trains_all_search_clips_to_the_last_epoch(retrained: Retrain) -> None:
    result = _json(retrained(seeds=1) / "split_1" / "seed_0" / "result.json")
    assert (result["n_train"], result["n_validation"], result["n_test"]) == (16, 0, 8)
    assert result["epoch_used"] == 1


def test_final_trains_on_all_clips_and_carries_the_estimate(retrained: Retrain) -> None:
    run = retrained(final=True, seeds=1)
    model = _json(run / "final" / "model.json")
    assert _json(run / "final" / "result.json")["n_train"] == 24
    assert model["expected"] == _json(run / "metrics.json")["headline"]
    assert model["labels"] == ["high", "low"]
    assert (run / "final" / "weights.safetensors").is_file()
    assert not (run / "final" / "predictions.csv").exists()


def test_a_nested_search_retrains_each_split_with_its_own_genotype(tiny_search: Retrain, tmp_path: Path) -> None:
    nested = tiny_search(out=tmp_path / "nested", nested=True)
    run = retrain(RetrainRequest((nested,), epochs=1, seeds=1, threads=1))
    metrics = _json(run / "metrics.json")
    assert metrics["headline"]["splits"] == ["1", "2", "3"]
    for name in "123":
        used = _json(run / f"split_{name}" / "genotype.json")
        assert used["provenance"]["split_left_out"] == name
        assert used["hash"] == _json(nested / f"split_{name}" / "genotype.json")["hash"]
    with pytest.raises(RunError, match="--final trains one genotype"):
        retrain(RetrainRequest((nested,), epochs=1, seeds=1, threads=1, final=True, out=tmp_path / "final"))
    assert not (tmp_path / "final").exists()
    two = (nested / "split_1", nested / "split_2")
    with pytest.raises(RunError, match="split 3 is left out by 0 of the given runs, must be 1"):
        retrain(RetrainRequest(two, epochs=1, seeds=1, threads=1, out=tmp_path / "missing"))
    with pytest.raises(RunError, match="split 1 is left out by 2 of the given runs, must be 1"):
        retrain(RetrainRequest((*two, nested / "split_1"), epochs=1, seeds=1, threads=1, out=tmp_path / "double"))


def test_augmentation_auxiliary_and_weightings_train(retrained: Retrain, tmp_path: Path) -> None:
    recipe = {"drop_path": 0.2, "augmentation": {"time_mask": 0.3, "feature_mask": 0.3, "mixup_alpha": 0.2}}
    run = retrained(seeds=1, recipe=recipe, auxiliary=True, class_weighting="sampler", out=tmp_path / "x")
    assert _json(run / "run.json")["options"]["recipe"]["augmentation"]["mixup_alpha"] == 0.2


def test_a_genotype_that_says_nothing_of_its_search_is_never_called_clean(
    searched: Path, tiny_corpus: Path, tmp_path: Path, retrained: Retrain
) -> None:
    document = _json(searched / "genotype.json")
    del document["provenance"]["groups_read"]
    (tmp_path / "silent.json").write_text(json.dumps(document))
    run = retrained(tmp_path / "silent.json", data=tiny_corpus, preparation=BY_SPEAKER, out=tmp_path / "out", seeds=1)
    assert "NOT KNOWN" in _json(run / "metrics.json")["headline"]["what"]
    assert any("not known which clips" in warning for warning in _json(run / "run.json")["warnings"])


def test_a_training_that_diverges_is_scored_as_chance_and_does_not_end_the_others(
    tmp_path: Path, retrained: Retrain
) -> None:
    wild = {"learning_rate": 1e30, "gradient_clip": 1e30}
    out = retrained(recipe=wild, inner_folds=2, out=tmp_path / "wild")
    result = json.loads((out / "split_1" / "seed_1" / "result.json").read_text())
    assert "loss is nan" in result["failed"] or "not finite" in result["failed"]
    parts = read_predictions(out / "split_1" / "seed_1" / "predictions.csv")
    assert all((part.scores == 0.5).all() for part in parts.values())
    assert set(parts) == {"train", "test", "inner_oof"}
    assert not (out / "split_1" / "seed_1" / "weights.safetensors").exists()
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["all_splits"]["ua"] == 0.5  # two classes
    warnings = json.loads((out / "run.json").read_text())["warnings"]
    assert any(line.startswith("split 1, seed 1: ") and line.endswith("scored as chance") for line in warnings)


def test_other_features_than_the_searchs_are_a_warning_that_is_kept(retrained: Retrain, tmp_path: Path) -> None:
    own, other = tmp_path / "own.yaml", tmp_path / "other.yaml"
    own.write_text(FEATURES)
    other.write_text(FEATURES.replace("n_mels: 8", "n_mels: 10"))
    line = (
        f"searched on log_mel (n_mels 8), retrained on {other} (n_mels 10): the genotype was chosen for other features"
    )
    changed = retrained(features=str(other), epochs=1, seeds=1, out=tmp_path / "changed")
    same = retrained(features=str(own), epochs=1, seeds=1, out=tmp_path / "same")
    assert line in _json(changed / "run.json")["warnings"]
    assert not [each for each in _json(same / "run.json")["warnings"] if "searched on" in each]


def test_scores_stand_beside_their_interval_and_p_against_chance(retrained_once: Path) -> None:
    metrics = _json(retrained_once / "metrics.json")
    found = metrics["all_splits"]
    assert found["n_groups"] == 6
    assert found["ua_interval"][0] <= found["ua"] <= found["ua_interval"][1]
    assert found["interval"].startswith("95 % interval by a delete-one-group jackknife over 6 groups")
    assert found["chance"]["how"] == "labels permuted within each of 6 groups"
    assert found["verdict"] == ("above chance" if found["chance"]["p"] <= 0.05 else "not above chance")
    assert found["claim"] is None
    headline = metrics["headline"]
    assert (headline["n_groups"], headline["ua_interval"]) == (2, None)
    assert headline["claim"].startswith("no claim about speakers is possible from 2 groups: it takes 6")


def test_a_lack_of_memory_stands_in_the_result_and_among_the_warnings(
    retrained: Retrain, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = surviving.SurvivingModule._logits

    def short(self: surviving.SurvivingModule, x: torch.Tensor, lengths: torch.Tensor | None) -> list[torch.Tensor]:
        if len(x) > 4:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(self, x, lengths)

    monkeypatch.setattr(surviving, "can_run_out", lambda _: True)
    monkeypatch.setattr(surviving.SurvivingModule, "_logits", short)
    run = retrained(seeds=1, epochs=1)
    found = _json(run / "split_1" / "seed_0" / "result.json")["out_of_memory"]
    assert (found["micro_batch"], found["activations_on_host"]) == (4, 1)
    assert "batch norm has their statistics" in found["told"]
    warnings = _json(run / "run.json")["warnings"]
    assert f"split 1, seed 0: {found['told']}" in warnings
    history = [json.loads(line) for line in (run / "split_1" / "seed_0" / "history.jsonl").read_text().splitlines()]
    assert [line["micro_batch"] for line in history] == [4]


def test_precision_and_compiling_stand_in_the_run(retrained: Retrain) -> None:
    run = _json(retrained(seeds=1, epochs=1, precision="bf16") / "run.json")
    assert run["precision"] == "bf16"
    assert "compile" not in run
    with pytest.raises(SettingsError, match="--precision 16: is for GPUs"):
        retrained(precision="16")
