"""DARTS, first order, on NNI's implementation.

Source: Liu, Simonyan, Yang 2019, section 2 and its release. NNI's `arch_parameters()` is a `list(set())`
whose order differs between processes, so a resumed optimiser would hand its moments to other alphas; here
the order is that of the supernet.
"""

from __future__ import annotations

from typing import Any

import torch
from nni.nas.oneshot.pytorch.differentiable import DartsLightningModule
from nni.nas.strategy import DARTS
from torch import nn


class OrderedDartsModule(DartsLightningModule):  # type: ignore[misc]
    """NNI's DARTS step with ordered alphas and the release's Adam settings spelled out."""

    def arch_parameters(self) -> list[nn.Parameter]:
        """Each alpha once, in the order of the modules."""
        found: dict[int, nn.Parameter] = {}
        for module in self.supernet_modules():
            for parameter in module.arch_parameters():
                found.setdefault(id(parameter), parameter)
        return list(found.values())

    def configure_architecture_optimizers(self) -> torch.optim.Optimizer:
        """Adam with betas (0.5, 0.999) and weight decay 1e-3 (Liu et al. 2019, section 3.1)."""
        return torch.optim.Adam(self.arch_parameters(), self.arc_learning_rate, betas=(0.5, 0.999), weight_decay=1e-3)

    def log_probs(self, probs: Any) -> None:
        """Nothing: the epoch log holds the alphas."""


class OrderedDarts(DARTS):  # type: ignore[misc]
    """NNI's DARTS strategy with `OrderedDartsModule`."""

    def configure_oneshot_module(self, training_module: Any) -> OrderedDartsModule:
        """The module that trains supernet and alphas."""
        return OrderedDartsModule(
            training_module,
            arc_learning_rate=self.arc_learning_rate,
            gradient_clip_val=self.gradient_clip_val,
            log_prob_every_n_step=2**31,
        )
