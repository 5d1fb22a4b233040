"""DARTS with Gumbel noise as a strategy of NNI; every draw is keyed by (seed, epoch, step, part).

NNI's GumbelDARTS draws within its own mixed layers, which our supernet does not use.
"""

from __future__ import annotations

from typing import Any

from audionas.models.mixing import GumbelMixing
from audionas.search.nni_darts import OrderedDarts, OrderedDartsModule
from audionas.seeding import derive


class GumbelDartsModule(OrderedDartsModule):
    """The temperature falls linearly over the epochs, from the first to the last."""

    is_capturable = False
    seed: int
    temperatures: tuple[float, float]

    def on_train_epoch_start(self) -> None:
        """Set the epoch's temperature."""
        first, last = self.temperatures
        share = self.trainer.current_epoch / max(self.trainer.max_epochs - 1, 1)
        self.mixing.temperature = first + (last - first) * share
        super().on_train_epoch_start()

    def begin_pass(self, batch_idx: int, part: str) -> None:
        """Key the noise of one pass."""
        self.mixing.draw_from(derive(self.seed, "gumbel", self.trainer.current_epoch, batch_idx, part))

    @property
    def mixing(self) -> GumbelMixing:
        """What draws."""
        mixing = self.supernet.mixing
        assert isinstance(mixing, GumbelMixing)
        return mixing


class GumbelDarts(OrderedDarts):
    """NNI's DARTS strategy with `GumbelDartsModule`."""

    module_class = GumbelDartsModule

    def __init__(self, seed: int, temperatures: tuple[float, float], **settings: Any) -> None:
        super().__init__(**settings)
        self.seed, self.temperatures = seed, temperatures

    def configure_oneshot_module(self, training_module: Any) -> GumbelDartsModule:
        """The module that trains supernet and alphas."""
        module = super().configure_oneshot_module(training_module)
        assert isinstance(module, GumbelDartsModule)
        module.seed, module.temperatures = self.seed, self.temperatures
        return module
