"""What depends on the kind of label: loss, scores, metrics, objective. Nothing else may know.

`TASKS` maps the manifest's task to its seam; a task that is not in the table is refused where data enters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from audionas.audio.manifest import Manifest
from audionas.errors import SettingsError
from audionas.training.metrics import ClassificationMetrics, classification_metrics

ClassWeighting = Literal["balanced", "none", "sampler"]


class TaskSeam(Protocol):
    """Everything that training and scoring need to know of a task."""

    def n_outputs(self, manifest: Manifest) -> int:
        """Width of the network's last layer."""
        ...

    def loss(self, logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
        """A scalar from logits (batch, outputs), targets (batch, ...) and clip weights (batch,)."""
        ...

    def scores(self, logits: Tensor) -> Tensor:
        """What predictions hold: (batch, outputs), here probabilities."""
        ...

    def metrics(self, truth: np.ndarray, scores: np.ndarray, labels: Sequence[str]) -> ClassificationMetrics:
        """Metrics of scores (clips, outputs) against the truth (clips,)."""
        ...

    def clip_weights(self, targets: np.ndarray, weighting: ClassWeighting) -> np.ndarray:
        """Weight of each clip in the loss: (clips,) float32, mean 1."""
        ...


class Classification:
    """One class a clip: softmax, weighted cross-entropy, UA."""

    def n_outputs(self, manifest: Manifest) -> int:
        """One output a label."""
        return len(manifest.labels)

    def loss(self, logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
        """Cross-entropy, averaged with the clips' weights (as torch does with class weights)."""
        each = functional.cross_entropy(logits, targets, reduction="none")
        return (each * weights).sum() / weights.sum()

    def scores(self, logits: Tensor) -> Tensor:
        """Class probabilities (batch, classes)."""
        return torch.softmax(logits, dim=-1)

    def metrics(self, truth: np.ndarray, scores: np.ndarray, labels: Sequence[str]) -> ClassificationMetrics:
        """Metrics of the most probable class."""
        return classification_metrics(truth, scores.argmax(axis=1), labels)

    def clip_weights(self, targets: np.ndarray, weighting: ClassWeighting) -> np.ndarray:
        """`balanced`: inverse class frequency, so that every class weighs the same; else 1."""
        if weighting != "balanced":
            return np.ones(len(targets), dtype=np.float32)
        counts = np.bincount(targets)
        weights = len(targets) / (np.count_nonzero(counts) * counts[targets])
        return np.asarray(weights, dtype=np.float32)


TASKS: dict[str, TaskSeam] = {"classification": Classification()}


def task_of(manifest: Manifest) -> TaskSeam:
    """The seam of a manifest's task.

    Raises:
        SettingsError: the task is known but cannot be trained yet.
    """
    if manifest.task not in TASKS:
        raise SettingsError(
            f"{manifest.root}: task {manifest.task!r} cannot be trained yet; accepted: {', '.join(TASKS)}"
        )
    return TASKS[manifest.task]
