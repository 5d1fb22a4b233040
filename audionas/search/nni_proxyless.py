"""ProxylessNAS as a strategy of NNI; every draw is keyed by (seed, epoch, step, part).

NNI's own Proxyless draws within its mixed layers; over a supernet of ours it would be soft DARTS.
"""

from __future__ import annotations

from typing import Any

from audionas.models.mixing import BinaryGates
from audionas.search.nni_darts import OrderedDarts, OrderedDartsModule
from audionas.search.rescaled_pairs import rescale_pair
from audionas.seeding import derive
from audionas.training.batches import Batch


class ProxylessModule(OrderedDartsModule):
    """The alphas' pass draws pairs, the weights' pass paths."""

    is_capturable = False
    seed: int

    def begin_pass(self, batch_idx: int, part: str) -> None:
        """Key the gates of one pass."""
        self.gates.draw_from(
            derive(self.seed, "gates", self.trainer.current_epoch, batch_idx, part), pairs=part == "alphas"
        )

    def alpha_step(self, batch: dict[str, Batch], batch_idx: int) -> None:
        """First order, over the pairs; candidates that were not drawn keep their shares."""
        alphas = self.arch_parameters()
        before = [each.detach().clone() for each in alphas]
        super().alpha_step(batch, batch_idx)
        for moved, kept, pair in zip(alphas, before, self.gates.drawn, strict=True):
            rescale_pair(moved, kept, pair)

    @property
    def gates(self) -> BinaryGates:
        """What draws."""
        mixing = self.supernet.mixing
        assert isinstance(mixing, BinaryGates)
        return mixing


class Proxyless(OrderedDarts):
    """NNI's DARTS strategy with `ProxylessModule`."""

    module_class = ProxylessModule

    def __init__(self, seed: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.seed = seed

    def configure_oneshot_module(self, training_module: Any) -> ProxylessModule:
        """The module that trains supernet and alphas."""
        module = super().configure_oneshot_module(training_module)
        assert isinstance(module, ProxylessModule)
        module.seed = self.seed
        return module
