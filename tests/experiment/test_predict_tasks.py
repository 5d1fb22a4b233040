"""Several labels a clip, and numbers: predicted by a folder and by an ONNX file as in the run's evaluation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from audionas.audio.manifest import Manifest, Task
from audionas.experiment.chosen_networks import Choice
from audionas.experiment.export_onnx import export_onnx
from audionas.experiment.predict import PredictRequest, predict
from audionas.experiment.prepare import PrepareOptions
from audionas.experiment.retrain import RetrainRequest, retrain
from audionas.models.baselines import named_baseline
from audionas.training.predictions import Predictions
from tests.experiment.conftest import FEATURES
from tests.experiment.labelled_corpora import make_mixed_corpus


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "label", "labels"),
    [
        ("multilabel", "tags", ("high", "low", "top")),
        ("regression", "loudness,n_tones", ("loudness", "n_tones")),
    ],
)
def test_scores_are_those_of_the_evaluation(task: Task, label: str, labels: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "features.yaml").write_text(FEATURES)
    run = retrain(
        RetrainRequest(
            (), make_mixed_corpus(tmp_path / "corpus"), str(tmp_path / "features.yaml"), epochs=2, seeds=1, threads=1,
            out=tmp_path / "run", class_weighting="none", baseline=named_baseline("plain_cnn", {"channels": "[2, 3]"}),
            preparation=PrepareOptions(label=label, folds="3", task=task),
        )
    )  # fmt: skip
    known = Predictions.read(run / "split_2" / "seed_0" / "predictions.csv")
    manifest = Manifest.read(run)
    paths = {clip.clip: manifest.path_of(clip) for clip in manifest.clips}
    files = tuple(paths[clip] for clip in known.clips)
    found = predict(PredictRequest(run, files, Choice(fold="2")))
    assert (found.task, found.labels) == (task, labels)
    np.testing.assert_allclose(found.scores, known.scores, rtol=1e-5, atol=1e-6)
    model = export_onnx(run, Choice(fold="2"), tmp_path / "model.onnx")
    again = predict(PredictRequest(model.path, files))
    assert (again.task, again.labels) == (task, labels)
    np.testing.assert_allclose(again.scores, known.scores, rtol=1e-4, atol=1e-5)
