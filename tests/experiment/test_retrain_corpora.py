"""Retraining on corpora out of the ordinary: absent classes, odd names, windows, long clips, nothing to learn."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors.torch import load_file

from audionas.audio.folds import find_split
from audionas.audio.manifest import Manifest
from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.retrain import RetrainRequest, retrain
from audionas.experiment.search import SearchRequest, search
from audionas.training.predictions import Predictions

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


def test_a_class_absent_from_a_fold_is_named_and_not_counted_as_zero(tiny_corpus: Path, tiny_search: Retrain) -> None:
    rows = []
    for path in sorted(tiny_corpus.rglob("*.wav")):
        speaker = path.name[:2]
        if speaker == "s0" and path.parent.name == "high":
            continue
        fold = "1" if speaker == "s0" else "2" if speaker in ("s1", "s2") else "3"
        rows.append(
            {"path": path.relative_to(tiny_corpus), "label": path.parent.name, "speaker": speaker, "fold": fold}
        )
    pd.DataFrame(rows).to_csv(tiny_corpus / "manifest.csv", index=False)
    run = tiny_search(preparation=PrepareOptions())
    metrics = _json(retrain(RetrainRequest((run,), epochs=1, seeds=1, threads=1)) / "metrics.json")
    assert metrics["splits"][0]["absent_classes"] == ["high"]
    fold = metrics["per_fold"][0]
    assert set(fold["recalls"]) == {"low"}
    assert fold["ua"] == fold["recalls"]["low"]


def test_labels_with_commas_quotes_and_other_scripts_survive(
    tiny_corpus: Path, tiny_search: Retrain, tmp_path: Path
) -> None:
    names = {"high": 'Ärger, "laut"', "low": "静か <b>"}
    for old, new in names.items():
        (tiny_corpus / old).rename(tiny_corpus / new)
    run = tiny_search(out=tmp_path / "rün, 1")
    done = retrain(RetrainRequest((run,), epochs=1, seeds=1, threads=1))
    assert _json(done / "metrics.json")["labels"] == sorted(names.values())
    assert Predictions.read(done / "split_1" / "seed_0" / "predictions.csv").labels == tuple(sorted(names.values()))
    from audionas.report import write_report

    page = write_report(run).read_text(encoding="utf-8")
    assert "静か &lt;b&gt;" in page


def test_each_split_keeps_the_length_that_was_fitted_without_it(
    tiny_corpus: Path, tiny_search: Retrain, tmp_path: Path
) -> None:
    import soundfile

    (tmp_path / "features.yaml").write_text("extractor: log_mel\nsample_rate_hz: 8000\nn_mels: 8\nframes: 8\n")
    for path in tiny_corpus.rglob("s0_*.wav"):
        soundfile.write(path, np.random.default_rng(0).normal(scale=0.1, size=16000), 8000)
    nested = tiny_search(out=tmp_path / "nested", nested=True)
    lengths = {name: _json(nested / f"split_{name}" / "run.json")["features"]["length_s"] for name in "123"}
    manifest = Manifest.read(nested)
    with_long = next(
        name for name in "123" if any(manifest.clips[r].group == "s0" for r in find_split(manifest, name).test)
    )
    assert lengths[with_long] < 1.0 < max(lengths.values()), "the long speaker counts only where it is searched"
    run = retrain(RetrainRequest((nested,), epochs=1, seeds=1, threads=1))
    for name in "123":
        mean = load_file(run / f"split_{name}" / "seed_0" / "weights.safetensors")["normaliser.mean"]
        assert mean.shape == (1, 8, 1)
        assert _json(run / f"split_{name}" / "genotype.json")["provenance"]["features"]["length_s"] == lengths[name]


def test_windows_are_averaged_back_to_recordings_before_any_metric(tiny_search: Retrain) -> None:
    options = PrepareOptions(group_from="^(s[0-9])", folds="3", window_s=0.25, hop_s=0.125)
    run = tiny_search(preparation=options)
    assert len(Manifest.read(run)) == 72, "24 recordings of 0.5 s are 3 windows each"
    done = retrain(RetrainRequest((run,), epochs=1, seeds=1, threads=1))
    metrics = _json(done / "metrics.json")
    assert metrics["all_splits"]["n_clips"] == 24
    assert sum(map(sum, metrics["baselines"]["headline"][0]["confusion"])) == 8


def test_fold_names_cannot_lead_out_of_the_run_folder(tiny_corpus: Path, tiny_search: Retrain, tmp_path: Path) -> None:
    rows = [
        {"path": path.relative_to(tiny_corpus), "label": path.parent.name, "speaker": path.name[:2],
         "fold": "../../../esc/3" if path.name[:2] in ("s0", "s1", "s2") else "b:c%"}
        for path in sorted(tiny_corpus.rglob("*.wav"))
    ]  # fmt: skip
    pd.DataFrame(rows).to_csv(tiny_corpus / "manifest.csv", index=False)
    run = tiny_search(preparation=PrepareOptions(), nested=True, out=tmp_path / "deep" / "run")
    done = retrain(RetrainRequest((run,), epochs=1, seeds=1, threads=1))
    assert not list(tmp_path.rglob("esc"))
    assert sorted(path.name for path in done.glob("split_*")) == ["split_..%2F..%2F..%2Fesc%2F3", "split_b%3Ac%25"]
    from audionas.report import write_report

    assert "../../../esc/3" in write_report(run).read_text(encoding="utf-8")


def test_a_corpus_with_nothing_to_learn_is_not_above_chance(tiny_corpus: Path, retrained: Retrain) -> None:
    """Labels shuffled by speaker: of each speaker one low tone is called high, and one high tone low."""
    for path in sorted(tiny_corpus.glob("*/*_0.wav")):
        other = {"low": "high", "high": "low"}[path.parent.name]
        path.rename(tiny_corpus / other / path.name.replace("_0.wav", "_swapped.wav"))
    metrics = _json(retrained(data=tiny_corpus, preparation=BY_SPEAKER, epochs=10) / "metrics.json")
    assert metrics["all_splits"]["verdict"] == "not above chance"
    assert metrics["all_splits"]["chance"]["p"] > 0.05


def test_files_without_known_speakers_allow_no_claim(tiny_search: Retrain) -> None:
    searched = tiny_search(preparation=PrepareOptions(folds="3"))
    metrics = _json(retrain(RetrainRequest((searched,), epochs=1, seeds=1, threads=1)) / "metrics.json")
    claim = "no claim about speakers is possible: they are not known, each file is its own group"
    assert metrics["all_splits"]["claim"] == claim
    assert metrics["all_splits"]["chance"]["how"] == "labels permuted among 24 groups of one label each"


@pytest.mark.usefixtures("tiny_space")
def test_darts_text_is_retrained_with_features_named(tiny_corpus: Path, tmp_path: Path) -> None:
    from audionas.experiment.export_genotype import exported_text

    text = (
        "Genotype(normal=[('sep_conv_3x3', 0), ('skip_connect', 1)], normal_concat=range(2, 3), "
        "reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1)], reduce_concat=range(2, 3))"
    )
    (tmp_path / "paper.txt").write_text(text)
    exported_text(tmp_path / "paper.txt", "genotype", tmp_path / "paper.json")
    run = retrain(
        RetrainRequest(
            (tmp_path / "paper.json",), tiny_corpus, str(tmp_path / "features.yaml"), {"n_cells": 3, "channels": 2},
            epochs=1, seeds=1, threads=1, out=tmp_path / "out", preparation=BY_SPEAKER,
        )
    )  # fmt: skip
    kept = _json(run / "split_1" / "genotype.json")
    assert kept["macro"]["n_cells"] == 3
    assert kept["provenance"]["input_shape"] == [1, 8, 8]
    assert _json(run / "metrics.json")["headline"]["splits"] == ["1", "2", "3"], "no search has seen anything"
