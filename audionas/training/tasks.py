"""What depends on the kind of label: loss, scores, metrics, objective. Nothing else may know.

`TASKS` maps the manifest's task to its seam; a task that is not in the table is refused where data enters.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from audionas.audio.manifest import Manifest
from audionas.errors import SettingsError, unknown
from audionas.training.losses import log_losses
from audionas.training.metrics import ClassificationMetrics, Metrics, classification_metrics
from audionas.training.multilabel import Multilabel
from audionas.training.regression import Regression

ClassWeighting = Literal["balanced", "none", "sampler"]


class TaskSeam(Protocol):
    """Everything that training and scoring need to know of a task."""

    @property
    def main(self) -> str:
        """Key of the main score in files: ua, map or ccc."""
        ...

    def fitted(self, targets: np.ndarray) -> TaskSeam:
        """The seam for one training, with what it needs to know of its training clips' targets, and of no others."""
        ...

    def n_outputs(self, manifest: Manifest) -> int:
        """Width of the network's last layer."""
        ...

    def loss(self, logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
        """A scalar from logits (batch, outputs), targets (batch, ...) and clip weights (batch,)."""
        ...

    def scores(self, logits: Tensor) -> Tensor:
        """What predictions hold: (batch, outputs), probabilities or numbers in the targets' own units."""
        ...

    def metrics(self, truth: np.ndarray, scores: np.ndarray, labels: Sequence[str]) -> Metrics:
        """Metrics of scores (clips, outputs) against the truth, (clips,) or (clips, outputs)."""
        ...

    def clip_weights(self, targets: np.ndarray, weighting: ClassWeighting) -> np.ndarray:
        """Weight of each clip in the loss: (clips,) float32, mean 1.

        Raises:
            SettingsError: the weighting is not for this task.
        """
        ...

    def losses(self, truth: np.ndarray, scores: np.ndarray) -> tuple[float, float]:
        """Loss of scored clips, plain and balanced."""
        ...

    def chance(self, n_outputs: int) -> np.ndarray:
        """What a network that learnt nothing says of every clip: (outputs,) float64."""
        ...

    def guessing_loss(self, n_outputs: int) -> float:
        """The training loss of guessing."""
        ...

    def state(self) -> dict[str, np.ndarray]:
        """What `fitted` found and the weights are useless without."""
        ...

    def restored(self, state: Mapping[str, np.ndarray]) -> TaskSeam:
        """The seam that gave this state. Raises KeyError where a part of it is missing."""
        ...


class Classification:
    """One class a clip: softmax, weighted cross-entropy, UA."""

    main: ClassVar[str] = "ua"

    def fitted(self, targets: np.ndarray) -> Classification:
        """Itself: nothing depends on the training clips."""
        return self

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

    def losses(self, truth: np.ndarray, scores: np.ndarray) -> tuple[float, float]:
        """Cross-entropy, over clips and over classes."""
        return log_losses(truth, scores)

    def chance(self, n_outputs: int) -> np.ndarray:
        """Every class alike."""
        return np.full(n_outputs, 1.0 / n_outputs)

    def guessing_loss(self, n_outputs: int) -> float:
        """Cross-entropy of uniform guessing, in nats."""
        return math.log(n_outputs)

    def state(self) -> dict[str, np.ndarray]:
        """Nothing was fitted."""
        return {}

    def restored(self, state: Mapping[str, np.ndarray]) -> Classification:
        """Itself."""
        return self


TASKS: dict[str, TaskSeam] = {
    "classification": Classification(),
    "multilabel": Multilabel(),
    "regression": Regression(),
}


def task_of(manifest: Manifest) -> TaskSeam:
    """The seam of a manifest's task.

    Raises:
        SettingsError: there is no seam for it.
    """
    if manifest.task not in TASKS:
        raise SettingsError(f"{manifest.root}: {unknown('task', manifest.task, TASKS)}")
    return TASKS[manifest.task]
