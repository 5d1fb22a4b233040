"""What a retraining refuses, in one line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audionas.errors import AudionasError, GenotypeError, RunError
from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.retrain import RetrainRequest, retrain

BY_SPEAKER = PrepareOptions(group_from="^(s[0-9])", folds="3")
Retrain = Callable[..., Path]


@pytest.fixture
def retrained(searched: Path) -> Retrain:
    def run(*sources: Path, **changes: Any) -> Path:
        return retrain(RetrainRequest(sources or (searched,), **({"epochs": 2, "seeds": 2, "threads": 1} | changes)))

    return run


def _json(path: Path) -> Any:
    return json.loads(path.read_text())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"select": "test"}, "accepted: last, best"),
        ({"seeds": 0}, "--seeds: got 0, must be 1 or more"),
        ({"epochs": 0}, "--epochs: got 0"),
        ({"recipe": {"learning_rat": 1}}, "did you mean 'learning_rate'"),
        ({"class_weighting": "equal"}, "accepted: balanced, none, sampler"),
        ({"inner_folds": 1}, r"--inner-folds: got 1, must be 0 \(none\) or 2 or more"),
        ({"inner_folds": -3}, "--inner-folds: got -3"),
        ({"inner_folds": 5}, r"4 training group\(s\) in a split, fewer than --inner-folds 5; use fewer inner folds"),
        ({"macro": {"hidden": 8}}, "--hidden is for recurrent genotypes; this one is CNN: --cells, --channels"),
        ({"device": "cuda"}, "not available here"),
    ],
)
def test_a_wrong_request_is_one_line_and_writes_nothing(
    retrained: Retrain, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(AudionasError, match=message) as caught:
        retrained(out=tmp_path / "out", **changes)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_genotype_alone_needs_data(searched: Path, tmp_path: Path, retrained: Retrain) -> None:
    shutil.copy(
        searched / "genotype.json", tmp_path / "lone" if (tmp_path / "lone").is_dir() else tmp_path / "lone.json"
    )
    (tmp_path / "empty").mkdir()
    shutil.move(tmp_path / "lone.json", tmp_path / "empty" / "lone.json")
    with pytest.raises(RunError, match="name the data: audionas retrain GENOTYPE DATA"):
        retrained(tmp_path / "empty" / "lone.json", out=tmp_path / "out")


def test_a_genotype_of_unknown_features_is_refused(searched: Path, tmp_path: Path, retrained: Retrain) -> None:
    document = _json(searched / "genotype.json")
    del document["provenance"]["features"]
    (tmp_path / "bare.json").write_text(json.dumps(document))
    with pytest.raises(GenotypeError, match="says nothing of its features; name them with --features"):
        retrained(tmp_path / "bare.json", data=Path("x"), out=tmp_path / "out")


def test_features_of_another_shape_than_the_genotypes_are_refused(
    searched: Path, tmp_path: Path, tiny_corpus: Path, retrained: Retrain
) -> None:
    document = _json(searched / "genotype.json")
    document["provenance"]["input_shape"] = [1, 40, 100]
    (tmp_path / "other.json").write_text(json.dumps(document))
    with pytest.raises(GenotypeError, match=r"features give \(1, 8, 8\), it was searched on \(1, 40, 100\)"):
        retrained(tmp_path / "other.json", data=tiny_corpus, preparation=BY_SPEAKER, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_unfinished_search_cannot_be_retrained(searched: Path, retrained: Retrain) -> None:
    record = _json(searched / "run.json") | {"status": "interrupted"}
    (searched / "run.json").write_text(json.dumps(record))
    with pytest.raises(RunError, match=r"not finished \(interrupted\); audionas search --resume"):
        retrained()


def test_options_of_data_without_data_are_refused(retrained: Retrain, tmp_path: Path) -> None:
    with pytest.raises(AudionasError, match="need DATA; a run's own folds are fixed"):
        retrained(preparation=PrepareOptions(folds="4"), out=tmp_path / "out")


def test_a_genotype_put_into_the_run_of_another_space_is_refused(
    searched: Path, tmp_path: Path, retrained: Retrain
) -> None:
    import audionas

    space = audionas.load_search_space("darts_cnn_small")
    provenance = _json(searched / "genotype.json")["provenance"]
    audionas.save_genotype(space.random(np.random.default_rng(0)), searched / "genotype.json", provenance)
    with pytest.raises(GenotypeError, match=r"genotype is not of space.*not found by the search in this folder"):
        retrained(out=tmp_path / "out")
