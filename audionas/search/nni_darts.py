"""DARTS on NNI's implementation: first order, and what its relatives change.

Source: Liu, Simonyan, Yang 2019, section 2 and its release. NNI's `arch_parameters()` is a `list(set())`
whose order differs between processes, so a resumed optimiser would hand its moments to other alphas; here
the order is that of the supernet.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from nni.nas.oneshot.pytorch.differentiable import DartsLightningModule
from nni.nas.strategy import DARTS
from torch import Tensor, nn

from audionas.kernels.loader import VARIABLE
from audionas.models import Supernet
from audionas.models.supernet import constant
from audionas.search.collapse import Collapse, NeverCollapses
from audionas.search.gradient_pass import GradientPass, Gradients, GraphRunner, Runner, graphs_are_on
from audionas.training.batches import Batch


@dataclass(frozen=True)
class AlphaSteps:
    """How alphas are stepped: Adam's settings, and the first share of the epochs in which they rest.

    Defaults: Liu et al. 2019, section 3.1.
    """

    learning_rate: float = 3.0e-4
    betas: tuple[float, float] = (0.5, 0.999)
    weight_decay: float = 1.0e-3
    warmup: float = 0.0


class OrderedDartsModule(DartsLightningModule):  # type: ignore[misc]
    """NNI's DARTS step with ordered alphas, Adam's settings open, and places for what relatives change."""

    steps: AlphaSteps
    is_capturable = True  # whether a pass draws nothing on the host
    runner: Runner | None = None  # what repeats captured passes; None: nothing is captured

    def arch_parameters(self) -> list[nn.Parameter]:
        """Each alpha once, in the order of the modules."""
        found: dict[int, nn.Parameter] = {}
        for module in self.supernet_modules():
            for parameter in module.arch_parameters():
                found.setdefault(id(parameter), parameter)
        return list(found.values())

    @property
    def supernet(self) -> Supernet:
        """Our supernet."""
        return next(iter(self.supernet_modules())).network  # type: ignore[no-any-return]

    def configure_architecture_optimizers(self) -> torch.optim.Optimizer:
        """Adam; a cost term adds its gradient to that of the alphas before each step."""
        steps = self.steps
        adam = torch.optim.Adam(
            self.arch_parameters(), steps.learning_rate, betas=steps.betas, weight_decay=steps.weight_decay
        )
        if self.training_module.cost_term is not None:
            adam.register_step_pre_hook(self.training_module.cost_term.add_gradient)
        return adam

    def on_train_epoch_start(self) -> None:
        """NNI leaves the alphas out of `warmup_epochs`, which depend on the number of epochs."""
        self.warmup_epochs = int(self.steps.warmup * self.trainer.max_epochs)
        super().on_train_epoch_start()

    def on_train_start(self) -> None:
        """Capture both passes where that is possible: on a card, unless something is drawn on the host."""
        super().on_train_start()
        if self.runner is None and self.is_capturable and self.training_module.is_capturable:
            self.runner = graph_runner(self.supernet.weights_device)
        self._passes = {
            "alphas": self.pass_of(self.alpha_gradients, self.arch_parameters()),
            "weights": self.pass_of(self.weight_gradients, self.supernet.network_weights()),
        }

    def pass_of(self, gradients: Gradients, stepped: Sequence[nn.Parameter]) -> GradientPass:
        """A pass that sets the gradients of `stepped`."""
        return GradientPass(gradients, stepped, self.supernet, self.runner, self.training_module.sparing)

    def training_step(self, batch: dict[str, Batch], batch_idx: int) -> Tensor:
        """One step of the alphas, then one of the weights; returns the loss of the second."""
        if self.trainer.current_epoch >= self.warmup_epochs:
            self.alpha_step(batch, batch_idx)
        loss = self._passes["weights"](batch["train"], lambda: self.begin_pass(batch_idx, "weights"))
        self.training_module.record("weights", loss)
        self._step_weights(batch_idx)
        self.advance_lr_schedulers(batch_idx)
        return loss

    def begin_pass(self, batch_idx: int, part: str) -> None:
        """Nothing is drawn in a plain mixture."""

    def alpha_step(self, batch: dict[str, Batch], batch_idx: int) -> None:
        """First order: the gradient of the alphas' loss at the weights as they are."""
        loss = self._passes["alphas"](batch["val"], lambda: self.begin_pass(batch_idx, "alphas"))
        self.training_module.record("alphas", loss)
        self.architecture_optimizers().step()

    def alpha_gradients(self, batch: Batch) -> Tensor:
        """The gradients of the alphas at the weights as they are, and the loss."""
        with constant(self.supernet.network_weights()):
            loss: Tensor = self.training_module.loss_of(batch)
        total = loss + self.extra_loss()
        if total.requires_grad:  # not where `none` was drawn for every edge that leads to the output
            total.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    def weight_gradients(self, batch: Batch) -> Tensor:
        """The gradients of the weights at the alphas as they are, and the loss."""
        with constant(self.arch_parameters()):
            loss: Tensor = self.training_module.loss_of(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    def _step_weights(self, batch_idx: int) -> None:
        """What NNI does behind the backward pass of the weights."""
        optimisers = self.optimizers()
        listed = optimisers if isinstance(optimisers, list) else [optimisers]
        (optimiser,) = (each for each in listed if not getattr(each, "is_arch_optimizer", False))
        self.training_module.configure_gradient_clipping(optimiser, self.gradient_clip_val, None)
        self.training_module.optimizer_step(self.trainer.current_epoch, batch_idx, optimiser)
        self._optimizer_progress += 1

    def extra_loss(self) -> Tensor | float:
        """What is added to the loss of the alphas."""
        return 0.0

    def log_probs(self, probs: Any) -> None:
        """Nothing: the epoch log holds the alphas."""


def graph_runner(device: torch.device) -> Runner | None:
    """What captures passes on a device; None on a CPU, or where graphs are off or kernels are plain torch.

    Raises:
        SettingsError: `AUDIONAS_GRAPHS` is neither on nor off.
    """
    if not graphs_are_on() or device.type != "cuda" or os.environ.get(VARIABLE) == "torch":
        return None
    return GraphRunner(device)


class OrderedDarts(DARTS):  # type: ignore[misc]
    """NNI's DARTS strategy with `OrderedDartsModule`, or a child of it."""

    module_class: type[OrderedDartsModule] = OrderedDartsModule

    def __init__(self, steps: AlphaSteps, gradient_clip: float, collapse: Collapse = NeverCollapses) -> None:
        super().__init__(arc_learning_rate=steps.learning_rate, gradient_clip_val=gradient_clip)
        self.steps = steps
        self.collapse = collapse

    def configure_oneshot_module(self, training_module: Any) -> OrderedDartsModule:
        """The module that trains supernet and alphas."""
        module = self.module_class(
            training_module,
            arc_learning_rate=self.arc_learning_rate,
            gradient_clip_val=self.gradient_clip_val,
            log_prob_every_n_step=2**31,
        )
        module.steps = self.steps
        return module
