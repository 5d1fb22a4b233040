"""Second-order DARTS as a strategy of NNI, whose own DARTS is first order only."""

from __future__ import annotations

from torch import Tensor

from audionas.models.supernet import frozen_statistics
from audionas.search.nni_darts import OrderedDarts, OrderedDartsModule
from audionas.search.unrolled import WeightStep, unrolled_gradient
from audionas.training.batches import Batch


class UnrolledDartsModule(OrderedDartsModule):
    """The alphas' step looks one step of the weights ahead; running statistics of BN are not touched by it."""

    is_capturable = False

    def alpha_step(self, batch: dict[str, Batch], batch_idx: int) -> None:
        """Liu et al. 2019, equation 7."""
        alphas, weights = self.arch_parameters(), self.supernet.network_weights()
        step = WeightStep(next(opt for opt in self.trainer.optimizers if not getattr(opt, "is_arch_optimizer", False)))

        def loss_of(part: str) -> Tensor:
            return self.training_module.loss_of(batch[part])  # type: ignore[no-any-return]

        with frozen_statistics(self.supernet):
            gradients, loss = unrolled_gradient(lambda: loss_of("train"), lambda: loss_of("val"), alphas, weights, step)
        self.training_module.record("alphas", loss)
        for alpha, gradient in zip(alphas, gradients, strict=True):
            alpha.grad = gradient
        self.architecture_optimizers().step()


class UnrolledDarts(OrderedDarts):
    """NNI's DARTS strategy, second order."""

    module_class = UnrolledDartsModule
