"""DARTS, first order, on NNI's implementation.

Source: Liu, Simonyan, Yang 2019, section 2 and its release. NNI's `arch_parameters()` is a `list(set())`
whose order differs between processes, so a resumed optimiser would hand its moments to other alphas; here
the order is that of the supernet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from nni.nas.oneshot.pytorch.differentiable import DartsLightningModule
from nni.nas.strategy import DARTS
from torch import nn


class OrderedDartsModule(DartsLightningModule):  # type: ignore[misc]
    """NNI's DARTS step with ordered alphas and Adam's settings open."""

    arc_adam: Mapping[str, Any]

    def arch_parameters(self) -> list[nn.Parameter]:
        """Each alpha once, in the order of the modules."""
        found: dict[int, nn.Parameter] = {}
        for module in self.supernet_modules():
            for parameter in module.arch_parameters():
                found.setdefault(id(parameter), parameter)
        return list(found.values())

    def configure_architecture_optimizers(self) -> torch.optim.Optimizer:
        """Adam; Liu et al. 2019, section 3.1, has betas (0.5, 0.999) and weight decay 1e-3."""
        return torch.optim.Adam(self.arch_parameters(), self.arc_learning_rate, **self.arc_adam)

    def log_probs(self, probs: Any) -> None:
        """Nothing: the epoch log holds the alphas."""


class OrderedDarts(DARTS):  # type: ignore[misc]
    """NNI's DARTS strategy with `OrderedDartsModule`."""

    def __init__(self, arc_adam: Mapping[str, Any], **settings: Any) -> None:
        super().__init__(**settings)
        self._arc_adam = arc_adam

    def configure_oneshot_module(self, training_module: Any) -> OrderedDartsModule:
        """The module that trains supernet and alphas."""
        module = OrderedDartsModule(
            training_module,
            arc_learning_rate=self.arc_learning_rate,
            gradient_clip_val=self.gradient_clip_val,
            log_prob_every_n_step=2**31,
        )
        module.arc_adam = self._arc_adam
        return module
