"""The seam of continuous targets: 1 - CCC as loss, CCC and RMSE as metrics.

The network gives standardised targets; mean and sd are those of the training clips (`fitted`), and predictions are in
the targets' own units. The loss is 1 - CCC of a batch, the mean over targets: the measure that is reported, and in
emotion dimensions ahead of squared error (Atmaja, Akagi, "Evaluation of error- and correlation-based loss functions
for multitask learning dimensional speech emotion recognition", 2021; Wagner et al., "Dawn of the transformer era in
speech emotion recognition", 2023). A batch holds a sample of clips, so its CCC is an estimate, noisy in small batches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from torch import Tensor

from audionas.audio.manifest import Manifest
from audionas.training.multilabel import refuse_sampler
from audionas.training.regression_metrics import RegressionMetrics

if TYPE_CHECKING:
    from audionas.training.tasks import ClassWeighting

SMALLEST = 1e-8


@dataclass(frozen=True)
class Regression:
    """Numbers (clips, targets) float32; `mean` and `sd` of each target among the training clips."""

    main: ClassVar[str] = "ccc"
    mean: tuple[float, ...] = ()
    sd: tuple[float, ...] = ()

    def fitted(self, targets: np.ndarray) -> Regression:
        """The seam with mean and sd of these training targets (clips, targets); an sd of 0 becomes 1."""
        values = np.asarray(targets, dtype=np.float64)
        sd = values.std(axis=0)
        return Regression(tuple(values.mean(axis=0).tolist()), tuple(np.where(sd > 0, sd, 1.0).tolist()))

    def n_outputs(self, manifest: Manifest) -> int:
        """One output a target."""
        return len(manifest.labels)

    def loss(self, logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
        """1 - CCC, the mean over targets, of moments weighted by the clips' weights."""
        predicted, share = logits.float(), (weights / weights.sum()).float()[:, None]
        truth = (targets.float() - self._of(self.mean, 0.0, predicted)) / self._of(self.sd, 1.0, predicted)
        x, y = truth - (share * truth).sum(0), predicted - (share * predicted).sum(0)
        apart = ((share * truth).sum(0) - (share * predicted).sum(0)) ** 2
        spread = (share * x**2).sum(0) + (share * y**2).sum(0) + apart
        return (1.0 - 2.0 * (share * x * y).sum(0) / (spread + SMALLEST)).mean()

    def scores(self, logits: Tensor) -> Tensor:
        """Predicted targets (batch, targets) in their own units."""
        values = logits if logits.dtype == torch.float64 else logits.float()
        return values * self._of(self.sd, 1.0, values) + self._of(self.mean, 0.0, values)

    def metrics(self, truth: np.ndarray, scores: np.ndarray, labels: Sequence[str]) -> RegressionMetrics:
        """CCC and RMSE."""
        return RegressionMetrics(tuple(labels), truth, scores)

    def clip_weights(self, targets: np.ndarray, weighting: ClassWeighting) -> np.ndarray:
        """1 each: there are no classes to balance.

        Raises:
            SettingsError: `sampler`, which is for one class a clip.
        """
        refuse_sampler(weighting, "numbers")
        return np.ones(len(targets), dtype=np.float32)

    def losses(self, truth: np.ndarray, scores: np.ndarray) -> tuple[float, float]:
        """1 - CCC, the mean over targets, twice: there are no classes to balance."""
        loss = 1.0 - self.metrics(truth, scores, [str(i) for i in range(truth.shape[1])]).primary.value
        return loss, loss

    def chance(self, n_outputs: int) -> np.ndarray:
        """The mean of the training clips."""
        return np.asarray(self.mean or np.zeros(n_outputs))

    def guessing_loss(self, n_outputs: int) -> float:
        """1 - CCC of a constant."""
        return 1.0

    def state(self) -> dict[str, np.ndarray]:
        """Mean and sd of the training targets, (targets,) float64: they belong to the weights."""
        return {"mean": np.array(self.mean), "std": np.array(self.sd)}

    def restored(self, state: Mapping[str, np.ndarray]) -> Regression:
        """The seam that gave this state. Raises KeyError where a part of it is missing."""
        return Regression(tuple(state["mean"].tolist()), tuple(state["std"].tolist()))

    def _of(self, values: tuple[float, ...], otherwise: float, like: Tensor) -> Tensor:
        given = values or (otherwise,)
        # filled on the device: a copy from the host would wait for it at every step
        return torch.stack([like.new_full((), value) for value in given])
