"""`TrainingModule`: one optimisation step of any network on any task, as a Lightning module."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from audionas.kernels.mixed_precision import full_precision
from audionas.models import GenotypeNetwork
from audionas.models.baselines import OwnLoss
from audionas.seeding import flush_denormals, seed_torch
from audionas.training.augmentation import mixup, spec_augment
from audionas.training.batches import Batch
from audionas.training.ledger import count
from audionas.training.optimisers import optimiser_of, schedule_of
from audionas.training.recipe import Recipe
from audionas.training.tasks import TaskSeam

AUXILIARY_WEIGHT = 0.4  # Liu et al. 2019, evaluation recipe


@dataclass(frozen=True)
class Prepared:
    """A batch as the network gets it; with mixup each clip's partner (batch,), and the share of the clip itself."""

    x: Tensor
    targets: Tensor
    weights: Tensor
    lengths: Tensor | None
    partners: Tensor | None = None
    share: float = 1.0


class TrainingModule(pl.LightningModule):
    """Weighted loss, the recipe's optimiser and schedule, noise keyed by (seed, epoch).

    Batches are (features (batch, channels, features, frames), targets (batch,), weights (batch,), lengths
    (batch,) or None where padding is not told apart).
    """

    def __init__(self, task: TaskSeam, recipe: Recipe, *, epochs: int, seed: int, purpose: str) -> None:
        super().__init__()
        self.task, self.recipe, self.epochs = task, recipe, epochs
        self.seed, self.purpose = seed, purpose
        self.losses: dict[str, list[Tensor]] = {}

    @property
    def model(self) -> nn.Module:
        """The network; set by `set_model`."""
        return self._model

    def set_model(self, model: nn.Module) -> None:
        """Give the module its network."""
        self._model = model

    def on_train_epoch_start(self) -> None:
        """Key all noise of this epoch (dropout, drop-path, masks) by seed and epoch, not by history."""
        flush_denormals()
        epoch = self.trainer.current_epoch
        seed_torch(self.seed, self.purpose, "noise", epoch)
        self.losses = {}
        if self.recipe.drop_path > 0 and isinstance(self.model, GenotypeNetwork):
            self.model.set_drop_path(self.recipe.drop_path * epoch / self.epochs)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The loss of one batch."""
        loss = self._loss(*batch)
        self.record("train", loss)
        return loss

    def record(self, name: str, loss: Tensor) -> None:
        """Keep a loss for the epoch's mean; read once an epoch, so that no step waits for the device."""
        self.losses.setdefault(name, []).append(loss.detach())

    def mean_loss(self, name: str) -> float:
        """The epoch's mean loss of a name."""
        return float(torch.stack(self.losses[name]).mean())

    def configure_optimizers(self) -> Any:
        """The optimiser of the recipe, with its learning rate on the recipe's schedule."""
        optimiser = optimiser_of(self.recipe, self.model.parameters())
        return [optimiser], [schedule_of(self.recipe, optimiser, self.epochs)]

    def _loss(self, x: Tensor, targets: Tensor, weights: Tensor, lengths: Tensor | None) -> Tensor:
        prepared = self._prepared(x, targets, weights, lengths)
        return self._loss_of(self._logits(prepared.x, prepared.lengths), prepared)

    def _prepared(self, x: Tensor, targets: Tensor, weights: Tensor, lengths: Tensor | None) -> Prepared:
        """The batch with its augmentation drawn."""
        count(forward=len(x), backward=len(x))
        x = spec_augment(x, self.recipe.augmentation)
        if self.recipe.augmentation.mixup_alpha == 0:
            return Prepared(x, targets, weights, lengths)
        mixed, partners, share = mixup(x, self.recipe.augmentation.mixup_alpha)
        longer = None if lengths is None else torch.maximum(lengths, lengths[partners])
        return Prepared(mixed, targets, weights, longer, partners, share)

    def _loss_of(self, logits: list[Tensor], of: Prepared) -> Tensor:
        first = self._task_loss(logits, of.targets, of.weights)
        if of.partners is None:
            return first
        other = self._task_loss(logits, of.targets[of.partners], of.weights[of.partners])
        return of.share * first + (1 - of.share) * other

    def _logits(self, x: Tensor, lengths: Tensor | None) -> list[Tensor]:
        return [full_precision(logits) for logits in self._outputs(x, lengths) if logits is not None]

    def _outputs(self, x: Tensor, lengths: Tensor | None) -> Sequence[Tensor | None]:
        """The logits, and those of an auxiliary classifier if there is one."""
        if isinstance(self.model, GenotypeNetwork):
            return self.model.forward_with_auxiliary(x, lengths)
        return (self.model(x) if lengths is None else self.model(x, lengths),)

    def _task_loss(self, logits: list[Tensor], targets: Tensor, weights: Tensor) -> Tensor:
        if isinstance(self.model, OwnLoss):
            return self.model.loss(self.task.loss, logits[0], targets, weights)
        loss = self.task.loss(logits[0], targets, weights)
        for extra in logits[1:]:
            loss = loss + AUXILIARY_WEIGHT * self.task.loss(extra, targets, weights)
        return loss
