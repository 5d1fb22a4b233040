"""ENAS as a strategy of NNI: weights learn along paths that a controller draws, the controller from their rewards.

Source: Pham et al. 2018 (ENAS), sections 2.2 and 2.3. NNI's strategy reads its batches in a form that Lightning 2 no
longer has, trains by PPO from a buffer that no checkpoint holds, and exports one arbitrary draw. Its strategy class is
kept; loader, controller and training are these, so the extra `rl` is not needed. Every path is keyed by (seed, epoch,
step). Differences from the paper: the reward is exp(-loss) of the alphas batch, its 1/perplexity, for every task, as
the accuracy of a small batch is coarse; an epoch has as many steps of the controller as of the weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from nni.nas.oneshot.pytorch.base_lightning import BaseOneShotLightningModule
from nni.nas.strategy import ENAS
from torch import Tensor, nn

from audionas.models import Supernet
from audionas.models.supernet import batch_statistics
from audionas.search.controller import Controller
from audionas.seeding import derive
from audionas.spaces import Genotype
from audionas.training.batches import Batch


@dataclass(frozen=True)
class ControllerSteps:
    """How the controller is trained: Adam's rate, paths a step, decay of the baseline, weight of the entropy."""

    learning_rate: float
    paths: int
    baseline_decay: float
    entropy_weight: float


class EnasModule(BaseOneShotLightningModule):  # type: ignore[misc]
    """Each epoch trains the weights on their part, then the controller on the alphas part."""

    steps: ControllerSteps
    seed: int
    gradient_clip: float
    controller: Controller

    def set_model(self, model: nn.Module) -> None:
        """Take the supernet and make its controller."""
        super().set_model(model)
        self.controller = Controller(self.supernet.space.choices(), derive(self.seed, "controller"))

    @property
    def supernet(self) -> Supernet:
        """Our supernet."""
        return next(iter(self.supernet_modules())).network  # type: ignore[no-any-return]

    def configure_architecture_optimizers(self) -> torch.optim.Optimizer:
        """Adam for the controller."""
        return torch.optim.Adam(self.controller.parameters(), self.steps.learning_rate)

    def training_step(self, batch: tuple[Batch, str], batch_idx: int) -> Tensor:
        """A step of the weights or of the controller, as the part of the batch says."""
        clips, part = batch
        loss = self.weights_step(clips, batch_idx) if part == "weights" else self.controller_step(clips, batch_idx)
        self.advance_lr_schedulers(batch_idx)
        return loss

    def weights_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """One path learns; the controller is fixed."""
        self.take_path(self.controller.drawn(self.key("path", batch_idx)))
        loss: Tensor = self.training_module.training_step(batch, 2 * batch_idx + 1)
        self.advance_optimization(loss, batch_idx, self.gradient_clip)
        return loss

    def controller_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """REINFORCE: paths above the moving average of the rewards become likelier; the weights are fixed."""
        drawn = [self.controller(self.key("controller", batch_idx, path)) for path in range(self.steps.paths)]
        rewards = [self.reward(batch, each.sample) + self.steps.entropy_weight * each.entropy for each in drawn]
        loss = self.controller.reinforce(drawn, rewards, self.steps.baseline_decay)
        optimiser = self.architecture_optimizers()
        optimiser.zero_grad()
        self.manual_backward(loss)
        optimiser.step()
        return loss

    def reward(self, batch: Batch, sample: dict[str, str]) -> float:
        """exp(-loss) of a path on a batch, in eval mode with the batch's own BN statistics; 0 if it is not finite."""
        self.take_path(sample)
        with torch.no_grad(), batch_statistics(self.supernet):
            loss = self.training_module.score_loss(batch)
        self.training_module.record("alphas", loss)
        return math.exp(-float(loss)) if math.isfinite(loss) else 0.0

    def key(self, what: str, *step: int) -> int:
        """The seed of a draw in this epoch."""
        return derive(self.seed, what, self.trainer.current_epoch, *step)

    def take_path(self, sample: dict[str, str]) -> None:
        """Let a path compute from now on."""
        for module in self.supernet_modules():
            module.take_path(sample)

    def likeliest(self) -> Genotype:
        """The genotype that the controller would choose now, for the epoch log."""
        return self.supernet.space.genotype(self.controller.likeliest())


class PartAfterPart:
    """The batches of the weights part, then those of the alphas part, each with the name of its part."""

    def __init__(self, weights: Any, alphas: Any) -> None:
        self._parts = {"weights": weights, "alphas": alphas}

    def __len__(self) -> int:
        return sum(map(len, self._parts.values()))

    def __iter__(self) -> Iterator[tuple[Batch, str]]:
        for name, batches in self._parts.items():
            for batch in batches:
                yield batch, name


class Enas(ENAS):  # type: ignore[misc]
    """NNI's ENAS strategy with `EnasModule` and a loader that says which part a batch is of."""

    def __init__(self, seed: int, steps: ControllerSteps, gradient_clip: float) -> None:
        super().__init__()
        self.seed, self.steps, self.gradient_clip = seed, steps, gradient_clip

    def configure_oneshot_module(self, training_module: Any) -> EnasModule:
        """The module that trains supernet and controller."""
        module = EnasModule(training_module)
        module.seed, module.steps, module.gradient_clip = self.seed, self.steps, self.gradient_clip
        return module

    def train_dataloader(self, weights: Callable[[], Any], alphas: Callable[[], Any]) -> PartAfterPart:
        """Both parts, one after the other."""
        return PartAfterPart(weights(), alphas())
