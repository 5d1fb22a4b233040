"""`TrainingModule` in the form that NNI's one-shot strategies wrap."""

from __future__ import annotations

import torch
from nni.nas.evaluator.pytorch import LightningModule
from torch import Tensor

from audionas.kernels import is_torch_only
from audionas.search.limits_cost_term import CostTerm
from audionas.search.sparing import Sparing
from audionas.training.batches import Batch
from audionas.training.ledger import count
from audionas.training.module import TrainingModule


class SearchModule(TrainingModule, LightningModule):  # type: ignore[misc]
    """One step on either part; NNI numbers alpha steps 2i and weight steps 2i + 1."""

    cost_term: CostTerm | None = None  # what steers the alphas
    sparing: Sparing  # what saves memory
    autocast: torch.dtype | None = None  # what a forward pass multiplies in, where not in float32

    @property
    def is_capturable(self) -> bool:
        """Whether a pass may be repeated as it is: mixup draws on the host, a cost term builds tables there."""
        return self.recipe.augmentation.mixup_alpha == 0 and self.cost_term is None

    def loss_of(self, batch: Batch) -> Tensor:
        """The loss of one batch that is no step, so it is in no mean."""
        return self._loss(*batch)

    def score_loss(self, batch: Batch) -> Tensor:
        """The loss of one batch as it is, without augmentation; nothing is to be stepped."""
        x, targets, weights, lengths = batch
        count(forward=len(x))
        return self._task_loss(self._logits(x, lengths), targets, weights)

    def _logits(self, x: Tensor, lengths: Tensor | None) -> list[Tensor]:
        if self.autocast is None or is_torch_only():  # second derivatives are taken in full precision
            return super()._logits(x, lengths)
        with torch.autocast(x.device.type, self.autocast):
            return super()._logits(x, lengths)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The loss of one batch of the alphas part or of the weights part."""
        loss = self._loss(*batch)
        self.record("alphas" if batch_idx % 2 == 0 else "weights", loss)
        return loss
