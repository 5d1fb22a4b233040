"""The plain system on functionals in a retraining: one cache a corpus, no audio, runs of before there was any."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import recall_score

from audionas.audio.manifest import Manifest
from audionas.audio.waveform import load_waveform
from audionas.experiment.clip_functionals import clip_functionals
from audionas.experiment.corpus import load_corpus
from audionas.experiment.retrain import RetrainRequest, retrain
from audionas.experiment.run_folder import RunFolder
from audionas.experiment.talk import Silent
from audionas.experiment.verify import verify
from audionas.features.functionals import Functionals
from audionas.training.functionals_svm import SVM

TABLE = Path("baselines", "functionals_SVM.csv")


def _records(run: Path) -> dict[str, Any]:
    rows = json.loads((run / "metrics.json").read_text())["baselines"]["headline"]
    return {row["name"]: row for row in rows}


def _plain(source: Path, out: Path, **changes: Any) -> Path:
    return retrain(RetrainRequest((source,), **({"epochs": 1, "seeds": 1, "threads": 1, "out": out} | changes)))


def _cache(run: Path) -> Path:
    return Path(RunFolder.open(run).record["features_folder"])


def test_its_score_is_that_of_the_predictions_it_leaves(retrained_once: Path) -> None:
    table = pd.read_csv(retrained_once / TABLE)
    scores = table[[name for name in table if name.startswith("p:")]]
    labels = [name[2:] for name in scores]
    guessed = scores.to_numpy().argmax(axis=1)
    truth = [labels.index(label) for label in table["label"]]
    assert _records(retrained_once)[SVM]["ua"] == pytest.approx(recall_score(truth, guessed, average="macro"))
    assert scores.sum(axis=1).to_numpy() == pytest.approx(np.ones(len(table)), abs=1e-6)


def test_functionals_of_a_corpus_are_computed_once_whatever_features_a_run_has(searched: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text("extractor: log_mel\nsample_rate_hz: 8000\nlength_s: 0.4\nn_mels: 6\nframes: 8\n")
    first = _plain(searched, tmp_path / "first")
    made = sorted(_cache(first).glob("functionals-*.npy"))
    assert len(made) == 1
    written = made[0].stat().st_mtime_ns
    second = _plain(searched, tmp_path / "second", features=str(other))
    assert sorted(_cache(second).glob("functionals-*.npy")) == made
    assert made[0].stat().st_mtime_ns == written
    assert (first / TABLE).read_bytes() == (second / TABLE).read_bytes()


def test_rows_are_the_extractor_s_own_of_each_clip(searched: Path) -> None:
    manifest = Manifest.read(searched)
    run = RunFolder.open(searched)
    corpus = load_corpus(manifest, _cache(searched), run.record["features"], Silent())
    found = clip_functionals(corpus, Silent())
    assert found.shape == (24, 840)
    for row in (0, 23):
        clip = manifest.clips[row]
        waveform = load_waveform(manifest.path_of(clip), 8000, clip.start_s, clip.duration_s)
        assert np.array_equal(found[row], Functionals().resolve(8000, [1.0])(waveform).ravel())


def test_a_run_whose_audio_is_gone_is_scored_without_it_and_says_so(searched: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    shutil.copytree(_cache(searched), cache)
    for path in cache.glob("functionals-*"):
        path.unlink()
    record = json.loads((searched / "run.json").read_text())
    (searched / "run.json").write_text(json.dumps(record | {"features_folder": str(cache)}))
    manifest = json.loads((searched / "manifest.json").read_text())
    (searched / "manifest.json").write_text(json.dumps(manifest | {"root": str(tmp_path / "gone")}))
    run = _plain(searched, tmp_path / "without")
    assert SVM not in _records(run)
    assert len(_records(run)) == 3
    warnings = RunFolder.open(run).record["warnings"]
    assert any(line.startswith("the plain baseline on functionals is left out: ") for line in warnings)


def test_a_run_of_before_there_were_functionals_is_verified(retrained_once: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(retrained_once, tmp_path / "old"))
    document = json.loads((run / "metrics.json").read_text())
    rows = document["baselines"]["headline"]
    document["baselines"]["headline"] = [row for row in rows if row["name"] != SVM]
    assert len(document["baselines"]["headline"]) == len(rows) - 1
    (run / "metrics.json").write_text(json.dumps(document))
    (run / TABLE).unlink()
    assert verify(run).mismatches == []
