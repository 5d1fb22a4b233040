"""A second task in a retraining: its classes from the manifest, no leak, its scores; columns that cannot be used."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, recall_score

from audionas.audio.manifest import Clip, Manifest
from audionas.errors import SettingsError
from audionas.experiment.genotype_sources import baseline_source
from audionas.experiment.retrain import RetrainRequest, resume_retraining, retrain
from audionas.experiment.second_task import with_second_labels
from audionas.experiment.second_task_scores import second_task_lines
from audionas.experiment.verify import verify
from audionas.models.baselines import named_baseline
from audionas.spaces import BaselineGenotype
from audionas.spaces.genotype_file import load_genotype
from tests.experiment.conftest import FEATURES

SMALLEST = {"filters": "3", "hidden": "2", "attention_hidden": "2", "heads": "2"}
Cells = Mapping[int, str]
Retrain = Callable[..., Path]


def write_table(corpus: Path, cells: Cells) -> None:
    """A manifest.csv beside the recordings: speaker, folds of two speakers, and the sex of some speakers."""
    lines = ["path,label,speaker,session_or_fold,sex"]
    for path in sorted(corpus.rglob("*.wav")):
        speaker = int(path.name[1])
        name = path.relative_to(corpus).as_posix()
        lines.append(f"{name},{path.parent.name},s{speaker},{speaker // 2 + 1},{cells.get(speaker, '')}")
    (corpus / "manifest.csv").write_text("\n".join(lines) + "\n")


@pytest.fixture
def retrained(tiny_corpus: Path, tmp_path: Path) -> Retrain:
    """Trains the system for an epoch on the tiny corpus with these cells; even speakers say `a` by default."""

    def run(out: str, cells: Cells | None = None, **changes: Any) -> Path:
        write_table(tiny_corpus, cells or {speaker: "ab"[speaker % 2] for speaker in range(6)})
        (tmp_path / "features.yaml").write_text(FEATURES)
        settings = {**SMALLEST, "second_column": "sex", **changes.pop("settings", {})}
        fields: dict[str, Any] = {"epochs": 1, "seeds": 1, "threads": 1, "out": tmp_path / out}
        return retrain(RetrainRequest(
            (), tiny_corpus, str(tmp_path / "features.yaml"), baseline=named_baseline("cnn_blstm", settings),
            **{**fields, **changes},
        ))  # fmt: skip

    return run


def _json(path: Path) -> Any:
    return json.loads(path.read_text())


@pytest.mark.slow
def test_the_scores_are_those_of_the_tables_over_all_folds(retrained: Retrain) -> None:
    run = retrained("out", {0: "a", 1: "b", 2: "a", 3: "b", 4: "a"}, settings={"second_weight": "2"})
    tables = [pd.read_csv(run / f"split_{k}" / "seed_0" / "second_task.csv") for k in (1, 2, 3)]
    assert [len(table) for table in tables] == [8, 8, 4], "speaker 5 has no cell"
    joined = pd.concat(tables)
    speakers = joined["clip"].str.extract(r"s(\d)_")[0].astype(int)
    assert (joined["label"] == speakers.map(lambda k: "ab"[k % 2])).all()
    found = _json(run / "metrics.json")["second_task"]
    truth, said = joined["label"], joined["predicted"]
    assert found["ua"] == pytest.approx(recall_score(truth, said, average="macro"))
    assert found["wa"] == pytest.approx(accuracy_score(truth, said))
    assert (found["column"], found["labels"], found["n_clips"], found["splits"]) == (
        "sex",
        ["a", "b"],
        20,
        ["1", "2", "3"],
    )
    for table, fold in zip(tables, found["per_fold"], strict=True):
        assert fold["wa"] == pytest.approx(accuracy_score(table["label"], table["predicted"]))
        result = _json(run / f"split_{fold['split']}" / "seed_0" / "result.json")["second_task"]
        assert {key: fold[key] for key in result} == result
    line = f"second task (sex: a, b): UA {found['ua']:.3f}, WA {found['wa']:.3f}, 20 clips"
    assert second_task_lines({"second_task": found}) == [line]
    genotype = load_genotype(run / "split_1" / "genotype.json")
    assert isinstance(genotype, BaselineGenotype)
    assert dict(genotype.settings)["second_labels"] == ("a", "b")


@pytest.mark.slow
def test_the_second_class_of_a_test_clip_changes_no_weight(retrained: Retrain) -> None:
    """Speakers 0 and 1 are tested in fold 1: what their cells say must not matter to its network."""
    cells = {speaker: "ab"[speaker % 2] for speaker in range(6)}
    one, other = retrained("one", cells), retrained("other", {**cells, 0: "b", 1: ""})
    weights = [(run / "split_1" / "seed_0" / "weights.safetensors").read_bytes() for run in (one, other)]
    assert weights[0] == weights[1]
    elsewhere = [(run / "split_2" / "seed_0" / "weights.safetensors").read_bytes() for run in (one, other)]
    assert elsewhere[0] != elsewhere[1], "there they train"


@pytest.mark.slow
def test_it_is_verified_and_resumed(retrained: Retrain) -> None:
    run = retrained("out")
    before = (run / "metrics.json").read_bytes()
    assert verify(run).mismatches == []
    table = run / "split_2" / "seed_0" / "second_task.csv"
    honest = table.read_text()
    clip = pd.read_csv(table)["clip"][0]
    table.write_text(honest.replace(f"{clip},s2,a", f"{clip},s2,b"))
    assert any("second_task.csv" in problem for problem in map(str, verify(run).mismatches))
    table.unlink()
    (run / "split_2" / "seed_0" / "result.json").unlink()
    (run / "run.json").write_text(json.dumps(_json(run / "run.json") | {"status": "running"}))
    assert resume_retraining(run) == run
    assert table.read_text() == honest
    assert (run / "metrics.json").read_bytes() == before


@pytest.mark.slow
def test_without_it_nothing_is_said_of_it(retrained: Retrain) -> None:
    run = retrained("out", {}, settings={"second_weight": "0"})
    assert "second_task" not in _json(run / "metrics.json")
    assert not list(run.rglob("second_task.csv"))


def manifest(*cells: str, task: Any = "classification") -> Manifest:
    clips = tuple(
        Clip(f"{k}.wav", "xy"[k % 2], f"s{k}", str(k % 3), clip=str(k), extra=(("sex", cell), ("text", "t")))
        for k, cell in enumerate(cells)
    )
    return Manifest(Path("/corpus"), clips, ("x", "y"), task)


def checked(found: Manifest, **settings: str) -> Any:
    return with_second_labels(baseline_source(named_baseline("cnn_blstm", settings)), found).genotype


def test_the_classes_are_those_of_the_column_sorted() -> None:
    genotype = checked(manifest("m", "f", "", "m"), second_column="sex")
    assert dict(genotype.settings) == {"second_column": "sex", "second_labels": ("f", "m")}


def test_a_system_without_a_second_task_stays_as_it_is() -> None:
    assert checked(manifest("", ""), second_weight="0") == named_baseline("cnn_blstm", {"second_weight": "0"})
    plain = baseline_source(named_baseline("plain_cnn", {}))
    assert with_second_labels(plain, manifest("", "")) is plain


@pytest.mark.parametrize(
    "cells,column,words",
    [
        (("f", "m"), "gender", r"no column 'gender' with values; there are: group, fold, sex, text; take another "
         r"with --set second_column=NAME, or train without a second task: --set second_weight=0"),
        (("", ""), "sex", "no column 'sex' with values; there are: group, fold, text;"),
        (("f", "f", ""), "sex", "column 'sex' says 'f' of every clip: nothing to learn; take another"),
        (("1.2", "3.4", "5.6", "1.2", ""), "sex", "column 'sex' has 3 values in 4 clips: numbers or names"),
    ],
)  # fmt: skip
def test_a_column_that_cannot_be_learnt_is_one_line(cells: tuple[str, ...], column: str, words: str) -> None:
    with pytest.raises(SettingsError, match=f"^/corpus: second task: {words}"):
        checked(manifest(*cells), second_column=column)


def test_a_corpus_of_another_task_is_refused() -> None:
    with pytest.raises(
        SettingsError, match=r"/corpus: a second task needs a corpus with one class a clip, .* multilabel; "
    ):
        checked(manifest("f", "m", task="multilabel"), second_column="sex")
