"""FairDARTS as a strategy of NNI: DARTS whose alphas are also pushed to 0 or 1."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from audionas.search.nni_darts import OrderedDarts, OrderedDartsModule
from audionas.search.zero_one_loss import zero_one_loss


class FairDartsModule(OrderedDartsModule):
    """First-order DARTS with the zero-one loss in the step of the alphas."""

    zero_one_weight: float

    def extra_loss(self) -> Tensor | float:
        """The zero-one loss, weighted."""
        return self.zero_one_weight * zero_one_loss(self.arch_parameters())


class FairDarts(OrderedDarts):
    """NNI's DARTS strategy with `FairDartsModule`."""

    module_class = FairDartsModule

    def __init__(self, zero_one_weight: float, **settings: Any) -> None:
        super().__init__(**settings)
        self.zero_one_weight = zero_one_weight

    def configure_oneshot_module(self, training_module: Any) -> FairDartsModule:
        """The module that trains supernet and alphas."""
        module = super().configure_oneshot_module(training_module)
        assert isinstance(module, FairDartsModule)
        module.zero_one_weight = self.zero_one_weight
        return module
