"""Which settings are rules: what differs between runs is named with its values, what belongs to a system is not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audionas.errors import RunError
from audionas.experiment.same_rules import differences, own_rules, rules
from tests.experiment.finished_runs import FinishedRuns

pytestmark = pytest.mark.slow  # the fixture searches and retrains

Copy = Callable[..., Path]
AUGMENT = {
    "settings": {"copies": 2, "seed": 0, "background_noise": {"p": 0.5, "folder": "/mnt/cafe", "snr_db": [5.0, 25.0]}},
    "folders_sha256": {"background_noise": "0123456789abcdef"},
    "keys": ["a", "b"],
}
AUGMENTED = "copies 2, seed 0, background_noise p 0.5, folder sha256 0123456789ab, snr_db 5.0 25.0"


@pytest.fixture
def copy(finished: FinishedRuns, tmp_path: Path) -> Copy:
    """A copy of stream `two` whose run.json was changed."""

    def make(change: Callable[[Any], object], name: str = "copy") -> Path:
        shutil.copytree(finished.two, tmp_path / name)
        record = json.loads((tmp_path / name / "run.json").read_text())
        change(record)
        (tmp_path / name / "run.json").write_text(json.dumps(record))
        return tmp_path / name

    return make


def test_features_and_devices_are_no_rules(finished: FinishedRuns, copy: Copy) -> None:
    def change(record: Any) -> None:
        record.update(device="cuda", threads=8)
        record["options"].update(inner_folds=0, final=True, test_noise={"folder": "cafe", "snr_db": [10.0]})

    assert differences([finished.searched, finished.two, finished.fused, copy(change)]) == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda r: r.update(epochs=5), "epochs: 2 in {two}; 5 in {copy}"),
        (lambda r: r.update(seeds=[0, 1, 2]), "seeds: 0 1 in {two}; 0 1 2 in {copy}"),
        (lambda r: r.update(select="best"), "select: last in {two}; best in {copy}"),
        (lambda r: r["options"].update(batch_size=8), "batch_size: 16 in {two}; 8 in {copy}"),
        (lambda r: r["options"].update(augment=AUGMENT), f"augment: none in {{two}}; {AUGMENTED} in {{copy}}"),
        (
            lambda r: r["data"].update(protocol="leave_one_group_out"),
            "protocol: folds in {two}; leave_one_group_out in {copy}",
        ),
        (
            lambda r: r["options"]["recipe"].update(learning_rate=0.1),
            "recipe.learning_rate: default in {two}; 0.1 in {copy}",
        ),
        (lambda r: r["options"]["recipe"].update(drop_path=0.2), "recipe.drop_path: 0 in {two}; 0.2 in {copy}"),
        (
            lambda r: r["options"]["recipe"]["augmentation"].update(mixup_alpha=0.2),
            "recipe.augmentation.mixup_alpha: 0 in {two}; 0.2 in {copy}",
        ),
        (
            lambda r: r.update(tuning={"learning_rates": [0.01, 0.1], "epochs": [2], "inner_folds": 3}),
            "tuning: none in {two}; learning_rates 0.01 0.1, inner_folds 3 in {copy}",
        ),
    ],
)  # fmt: skip
def test_a_rule_that_differs_is_named_with_both_values(
    finished: FinishedRuns, copy: Copy, change: Callable[[Any], object], line: str
) -> None:
    other = copy(change)
    assert differences([finished.two, other]) == [line.format(two=finished.two, copy=other)]


def test_another_division_into_folds_is_another_corpus(finished: FinishedRuns, copy: Copy) -> None:
    other = copy(lambda record: record["data"].update(manifest_sha256="ab" * 32))
    (line,) = differences([finished.two, other])
    assert line.startswith("corpus: folder_per_label, manifest ")
    assert "manifest abababababab" in line


def test_folds_that_only_one_search_has_left_unread_are_told(finished: FinishedRuns, copy: Copy) -> None:
    other = copy(lambda _: None)
    metrics = json.loads((other / "metrics.json").read_text())
    metrics["headline"]["splits"] = ["1"]
    (other / "metrics.json").write_text(json.dumps(metrics))
    assert differences([finished.two, other]) == [f"scored folds: 1 2 3 in {finished.two}; 1 in {other}"]


def test_the_default_recipes_of_two_kinds_are_alike(finished: FinishedRuns, copy: Copy) -> None:
    """A recurrent genotype with its own Adam has the same rules as a CNN with its own SGD."""
    from audionas.spaces.genotype_file import save_genotype
    from audionas.spaces.reference_recipes import reference_recipe
    from audionas.training.recipe import RECURRENT

    other = copy(lambda record: record["options"].update(recipe=RECURRENT.model_dump(mode="json")))
    assert any(line.startswith("recipe.optimiser: ") for line in differences([finished.two, other]))
    for file in other.glob("split_*/genotype.json"):
        save_genotype(reference_recipe("gru"), file, json.loads(file.read_text())["provenance"])
    assert differences([finished.two, other]) == []


def test_a_fusion_of_streams_that_differ_has_both_values(finished: FinishedRuns, copy: Copy, tmp_path: Path) -> None:
    other = copy(lambda record: record.update(epochs=5))
    shutil.copytree(finished.fused, tmp_path / "fused")
    record = json.loads((tmp_path / "fused" / "run.json").read_text())
    record["streams"] = [str(finished.one), str(other)]
    (tmp_path / "fused" / "run.json").write_text(json.dumps(record))
    assert rules(tmp_path / "fused")["epochs"] == "2 + 5"
    assert own_rules(tmp_path / "fused", [finished.two]) == "epochs 2 + 5"
    assert own_rules(finished.two, [finished.two]) == ""


def test_a_fusion_whose_stream_is_gone_has_no_rules(finished: FinishedRuns, tmp_path: Path) -> None:
    shutil.copytree(finished.fused, tmp_path / "fused")
    record = json.loads((tmp_path / "fused" / "run.json").read_text())
    (tmp_path / "fused" / "run.json").write_text(json.dumps(record | {"streams": [str(tmp_path / "gone")]}))
    with pytest.raises(RunError, match=r"its stream cannot be read: .*gone: no such run folder"):
        rules(tmp_path / "fused")


def test_an_unfinished_run_and_a_search_without_retraining_have_no_rules(
    finished: FinishedRuns, copy: Copy, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match=r"this run is not finished \(failed\); resume it first"):
        rules(copy(lambda record: record.update(status="failed")))
    shutil.copytree(finished.searched, tmp_path / "run", ignore=shutil.ignore_patterns("retrained"))
    with pytest.raises(RunError, match="holds no retraining; run audionas retrain"):
        rules(tmp_path / "run")
    for name in ("retrained", "retrained-2"):
        shutil.copytree(finished.one, tmp_path / "run" / name)
    with pytest.raises(RunError, match=r"holds 2 retrainings \(retrained, retrained-2\); name one of them"):
        rules(tmp_path / "run")


def test_augmentation_of_the_search_is_a_rule_and_the_place_of_its_noise_is_not(
    finished: FinishedRuns, copy: Copy
) -> None:
    def moved(record: Any) -> None:
        settings = json.loads(json.dumps(AUGMENT))
        settings["settings"]["background_noise"]["folder"] = "/elsewhere"
        record["options"].update(augment=settings)

    here, there = copy(lambda r: r["options"].update(augment=AUGMENT), "here"), copy(moved, "there")
    assert differences([here, there]) == []
    searched = copy(lambda r: None, "searched")
    for file in searched.glob("split_*/genotype.json"):
        document = json.loads(file.read_text())
        assert document["provenance"].get("augment") is None
        document["provenance"]["augment"] = {"copies": 1, "noise": {"p": 0.5}}
        file.write_text(json.dumps(document))
    assert differences([finished.two, searched]) == [
        f"search augment: none in {finished.two}; copies 1, noise p 0.5 in {searched}"
    ]
