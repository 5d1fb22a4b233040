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
from audionas.training.tasks import TaskSeam, task_of

WEIGHTS_FILE = "weights.safetensors"
TARGETS = "targets."  # names of the scale of the targets


@dataclass(frozen=True)
class TrainedNetwork:
    """In eval mode, with the statistics of its own training clips; of a regression also those of their targets."""

    network: nn.Module
    normaliser: Normaliser
    device: str
    task: TaskSeam

    def predict(self, corpus: Corpus, rows: list[int]) -> Predictions:
        """Predictions of some clips of any corpus that has the features of the network's training.

        Raises:
            NonFiniteLossError: a score is not finite.
        """
        tensors = corpus.normalised(self.normaliser)
        return predict_clips(self.network, tensors, corpus.manifest, rows, self.task, device=self.device)


def load_trained(
    folder: Path, genotype: Genotype, corpus: Corpus, *, auxiliary: bool = False, device: str = "cpu"
) -> TrainedNetwork:
    """The network of one training's folder; shapes come from the genotype, the corpus and its labels.

    Raises:
        RunError: the weights are missing, damaged, or of another network.
    """
    return load_network(folder, genotype, corpus.manifest, corpus.input_shape, auxiliary=auxiliary, device=device)


def load_network(
    folder: Path,
    genotype: Genotype,
    manifest: Manifest,
    input_shape: tuple[int, int, int],
    *,
    auxiliary: bool = False,
    device: str = "cpu",
) -> TrainedNetwork:
    """As `load_trained`, without a corpus's features; of the manifest only task and labels count."""
    path = folder / WEIGHTS_FILE
    if not path.is_file():
        raise RunError(f"{path}: missing; this training diverged, or its weights were removed")
    try:
        state = load_file(path)
        normaliser = Normaliser(_array(state.pop("normaliser.mean")), _array(state.pop("normaliser.std")))
        targets = {name: state.pop(name).double().numpy() for name in list(state) if name.startswith(TARGETS)}
        task = task_of(manifest)
        task = task.restored({name.removeprefix(TARGETS): value for name, value in targets.items()})
    except (SafetensorError, KeyError, OSError) as why:
        raise RunError(f"{path}: damaged ({' '.join(str(why).split())[:120]}); retrain, or copy it again") from why
    n_outputs = task.n_outputs(manifest)
    options = {"auxiliary": True} if auxiliary else {}
    network = build_model(genotype, input_shape=input_shape, n_classes=n_outputs, **options)
    try:
        network.load_state_dict(state)
    except RuntimeError as why:
        raise RunError(f"{path}: weights of another network than the genotype beside them; retrain") from why
    return TrainedNetwork(network.eval().to(device), normaliser, device, task)


def chance_predictions(manifest: Manifest, rows: list[int], targets: np.ndarray) -> Predictions:
    """What a training that diverged is scored by: every class alike; of numbers the mean of its training targets.

    Args:
        targets: those of its training clips.
    """
    task = task_of(manifest).fitted(targets)
    return average_windows(manifest, rows, np.tile(task.chance(task.n_outputs(manifest)), (len(rows), 1)), "test")


def _array(value: torch.Tensor) -> np.ndarray:
    return np.asarray(value.numpy(), dtype=np.float32)
