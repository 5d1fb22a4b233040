"""The seam of clips with any number of labels: one sigmoid a label, binary cross-entropy, mAP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from audionas.audio.manifest import Manifest
from audionas.errors import SettingsError
from audionas.training.losses import binary_log_losses
from audionas.training.multilabel_metrics import MultilabelMetrics

if TYPE_CHECKING:
    from audionas.training.tasks import ClassWeighting


class Multilabel:
    """Each label by itself; targets (clips, labels) float32, 0 or 1."""

    main: ClassVar[str] = "map"

    def fitted(self, targets: np.ndarray) -> Multilabel:
        """Itself: nothing depends on the training clips."""
        return self

    def n_outputs(self, manifest: Manifest) -> int:
        """One output a label."""
        return len(manifest.labels)

    def loss(self, logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
        """Binary cross-entropy, the mean over labels, averaged with the clips' weights."""
        each = functional.binary_cross_entropy_with_logits(logits, targets.to(logits.dtype), reduction="none")
        return (each.mean(dim=-1) * weights).sum() / weights.sum()

    def scores(self, logits: Tensor) -> Tensor:
        """Probability of each label (batch, labels); they need not sum to 1."""
        return torch.sigmoid(logits)

    def metrics(self, truth: np.ndarray, scores: np.ndarray, labels: Sequence[str]) -> MultilabelMetrics:
        """mAP and macro AUC."""
        return MultilabelMetrics(tuple(labels), truth, scores)

    def clip_weights(self, targets: np.ndarray, weighting: ClassWeighting) -> np.ndarray:
        """`balanced`: the mean over a clip's labels of their inverse frequency, then mean 1; else 1.

        Clips without a label count as one label more. Gong et al., "AST", 2021, take the sum over labels, and draw
        clips by it; the mean keeps clips of many labels from outweighing all others.

        Raises:
            SettingsError: `sampler`, which is for one class a clip.
        """
        refuse_sampler(weighting, "several labels a clip")
        if weighting != "balanced":
            return np.ones(len(targets), dtype=np.float32)
        table = np.column_stack([targets, ~targets.any(axis=1)]).astype(np.float64)
        rarity = len(table) / np.maximum(table.sum(axis=0), 1.0)
        each = (table * rarity).sum(axis=1) / table.sum(axis=1)
        return np.asarray(each / each.mean(), dtype=np.float32)

    def losses(self, truth: np.ndarray, scores: np.ndarray) -> tuple[float, float]:
        """Binary cross-entropy, over all clips and labels, and with each side of each label weighing the same."""
        return binary_log_losses(truth, scores)

    def chance(self, n_outputs: int) -> np.ndarray:
        """Every label as probable as not."""
        return np.full(n_outputs, 0.5)

    def guessing_loss(self, n_outputs: int) -> float:
        """Binary cross-entropy of a coin, in nats."""
        return float(np.log(2.0))

    def state(self) -> dict[str, np.ndarray]:
        """Nothing was fitted."""
        return {}

    def restored(self, state: Mapping[str, np.ndarray]) -> Multilabel:
        """Itself."""
        return self


def refuse_sampler(weighting: str, what: str) -> None:
    """Refuse to draw clips by class where a clip has not one class.

    Raises:
        SettingsError: that was asked for.
    """
    if weighting == "sampler":
        raise SettingsError(f"class weighting 'sampler' draws clips by their class, and these have {what}; use none")
