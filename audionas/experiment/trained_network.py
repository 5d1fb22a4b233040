"""A network that a retraining left: weights and normaliser of a `weights.safetensors`, ready to predict."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from audionas.audio.manifest import Manifest
from audionas.errors import RunError
from audionas.experiment.corpus import Corpus
from audionas.models import build_model
from audionas.spaces import Genotype
from audionas.training.batches import Normaliser
from audionas.training.predictions import Predictions, average_windows
from audionas.training.scoring import predict_clips
from audionas.training.tasks import task_of

WEIGHTS_FILE = "weights.safetensors"


@dataclass(frozen=True)
class TrainedNetwork:
    """In eval mode, with the statistics of its own training clips."""

    network: nn.Module
    normaliser: Normaliser
    device: str

    def predict(self, corpus: Corpus, rows: list[int]) -> Predictions:
        """Predictions of some clips of any corpus that has the features of the network's training.

        Raises:
            NonFiniteLossError: a score is not finite.
        """
        tensors = corpus.normalised(self.normaliser)
        task = task_of(corpus.manifest)
        return predict_clips(self.network, tensors, corpus.manifest, rows, task, device=self.device)


def load_trained(
    folder: Path, genotype: Genotype, corpus: Corpus, *, auxiliary: bool = False, device: str = "cpu"
) -> TrainedNetwork:
    """The network of one training's folder; shapes come from the genotype, the corpus and its labels.

    Raises:
        RunError: the weights are missing, damaged, or of another network.
    """
    path = folder / WEIGHTS_FILE
    if not path.is_file():
        raise RunError(f"{path}: missing; this training diverged, or its weights were removed")
    try:
        state = load_file(path)
        normaliser = Normaliser(_array(state.pop("normaliser.mean")), _array(state.pop("normaliser.std")))
    except (SafetensorError, KeyError, OSError) as why:
        raise RunError(f"{path}: damaged ({' '.join(str(why).split())[:120]}); retrain, or copy it again") from why
    n_outputs = task_of(corpus.manifest).n_outputs(corpus.manifest)
    options = {"auxiliary": True} if auxiliary else {}
    network = build_model(genotype, input_shape=corpus.input_shape, n_classes=n_outputs, **options)
    try:
        network.load_state_dict(state)
    except RuntimeError as why:
        raise RunError(f"{path}: weights of another network than the genotype beside them; retrain") from why
    return TrainedNetwork(network.eval().to(device), normaliser, device)


def chance_predictions(manifest: Manifest, rows: list[int]) -> Predictions:
    """What a training that diverged is scored by: every class alike."""
    n_outputs = task_of(manifest).n_outputs(manifest)
    return average_windows(manifest, rows, np.full((len(rows), n_outputs), 1.0 / n_outputs), "test")


def _array(value: torch.Tensor) -> np.ndarray:
    return np.asarray(value.numpy(), dtype=np.float32)
