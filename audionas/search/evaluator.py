"""What a search reads, and how one candidate is trained and scored."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from audionas.audio.manifest import Manifest
from audionas.models import build_model, n_parameters
from audionas.seeding import seed_torch
from audionas.spaces import CnnGenotype
from audionas.training.batches import ClipTensors, EpochBatches
from audionas.training.fit import FitPlan, fit
from audionas.training.recipe import Recipe
from audionas.training.scoring import predict_clips
from audionas.training.tasks import ClassWeighting, TaskSeam


@dataclass(frozen=True)
class SearchData:
    """Features and the parts that a search may read; rows are indices into the manifest."""

    manifest: Manifest
    tensors: ClipTensors
    parts: Mapping[str, tuple[int, ...]]
    input_shape: tuple[int, int, int]
    task: TaskSeam
    weighting: ClassWeighting = "balanced"
    batch_size: int = 16

    @property
    def n_outputs(self) -> int:
        """Width of a network's last layer."""
        return self.task.n_outputs(self.manifest)

    def batches(self, part: str, *, seed: int, epoch: Any, n_batches: int | None = None) -> EpochBatches:
        """Training batches of a part, weighted or sampled as `weighting` says."""
        rows = self.parts[part]
        return EpochBatches(
            self.tensors,
            rows,
            self.task.clip_weights(self.manifest.targets[list(rows)], self.weighting),
            batch_size=self.batch_size,
            seed=seed,
            purpose=part,
            epoch=epoch,
            n_batches=n_batches,
            balanced_sampling=self.weighting == "sampler",
        )


@dataclass(frozen=True)
class Score:
    """How a candidate did on the validation part; losses are cross-entropies in nats."""

    ua: float
    wa: float
    loss: float
    balanced_loss: float
    parameters: int
    seconds: float

    def objective(self, name: str) -> float:
        """The number to maximise: UA itself, or a loss with its sign turned."""
        return self.ua if name == "ua" else -float(getattr(self, name))


@dataclass(frozen=True)
class TrainingEvaluator:
    """Trains a candidate from scratch on the train part, scores its last epoch on the validation part."""

    data: SearchData
    recipe: Recipe
    device: str = "cpu"

    def evaluate(self, genotype: CnnGenotype, *, epochs: int, seed: int) -> Score:
        """The score of one candidate.

        Raises:
            NonFiniteLossError: its loss became NaN or infinite.
        """
        started = time.perf_counter()
        data = self.data
        seed_torch(seed, "trial", "weights")
        network = build_model(genotype, input_shape=data.input_shape, n_classes=data.n_outputs)
        plan = FitPlan(data.task, self.recipe, epochs, seed, "trial", self.device)
        fit(network, lambda epoch: data.batches("train", seed=seed, epoch=epoch), plan)
        network.eval().to(self.device)
        rows = data.parts["validation"]
        predictions = predict_clips(network, data.tensors, data.manifest, rows, data.task, device=self.device)
        metrics = data.task.metrics(predictions.truth, predictions.scores, predictions.labels)
        loss, balanced = log_losses(predictions.truth, predictions.scores)
        seconds = round(time.perf_counter() - started, 3)
        return Score(metrics.ua, metrics.wa, loss, balanced, n_parameters(network), seconds)


def log_losses(truth: np.ndarray, scores: np.ndarray) -> tuple[float, float]:
    """Mean cross-entropy over clips, and over classes (each class weighing the same), in nats."""
    each = -np.log(np.maximum(scores[np.arange(len(truth)), truth], 1e-12))
    by_class = [each[truth == label].mean() for label in np.unique(truth)]
    return float(each.mean()), float(np.mean(by_class))
