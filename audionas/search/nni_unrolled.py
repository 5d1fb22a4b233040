"""Second-order DARTS as a strategy of NNI, whose own DARTS is first order only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from audionas.models.supernet import constant, frozen_statistics
from audionas.search.gradient_pass import GradientPass
from audionas.search.nni_darts import OrderedDarts, OrderedDartsModule
from audionas.search.unrolled import WeightStep, unrolled_gradient_by
from audionas.training.batches import Batch


class UnrolledDartsModule(OrderedDartsModule):
    """The alphas' step looks one step of the weights ahead; running statistics of BN are not touched by it."""

    def on_train_start(self) -> None:
        """Its passes too."""
        super().on_train_start()
        alphas, weights = self.arch_parameters(), self.supernet.network_weights()
        self._unrolled = {
            "weights": self.pass_of(self._frozen_weight_gradients, weights),
            "both": self.pass_of(self._both_gradients, [*alphas, *weights]),
            "alphas": self.pass_of(self._train_alpha_gradients, alphas),
        }

    def alpha_step(self, batch: dict[str, Batch], batch_idx: int) -> None:
        """Liu et al. 2019, equation 7."""
        alphas, weights = self.arch_parameters(), self.supernet.network_weights()
        step = WeightStep(next(opt for opt in self.trainer.optimizers if not getattr(opt, "is_arch_optimizer", False)))
        with frozen_statistics(self.supernet):
            passes = UnrolledPasses(self._unrolled, batch, alphas, weights)
            gradients, loss = unrolled_gradient_by(passes, alphas, weights, step)
        self.training_module.record("alphas", loss)
        for alpha, gradient in zip(alphas, gradients, strict=True):
            alpha.grad = gradient
        self.architecture_optimizers().step()

    def _frozen_weight_gradients(self, batch: Batch) -> Tensor:
        with frozen_statistics(self.supernet):
            return self.weight_gradients(batch)

    def _both_gradients(self, batch: Batch) -> Tensor:
        with frozen_statistics(self.supernet):
            loss: Tensor = self.training_module.loss_of(batch)
            loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    def _train_alpha_gradients(self, batch: Batch) -> Tensor:
        with frozen_statistics(self.supernet), constant(self.supernet.network_weights()):
            loss: Tensor = self.training_module.loss_of(batch)
            loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()


@dataclass(frozen=True)
class UnrolledPasses:
    """The passes of one second-order step."""

    by_kind: dict[str, GradientPass]
    batch: dict[str, Batch]
    alphas: Sequence[nn.Parameter]
    weights: Sequence[nn.Parameter]

    def of_weights(self) -> Sequence[Tensor | None]:
        """See `Passes`."""
        self._run("weights", "train")
        return _taken(self.weights)

    def of_both(self) -> tuple[Sequence[Tensor | None], Tensor]:
        """See `Passes`."""
        loss = self._run("both", "val")
        return _taken([*self.alphas, *self.weights]), loss

    def of_alphas(self) -> Sequence[Tensor | None]:
        """See `Passes`; copied, since the next pass writes where this one did."""
        self._run("alphas", "train")
        return [None if each is None else each.clone() for each in _taken(self.alphas)]

    def _run(self, kind: str, part: str) -> Tensor:
        return self.by_kind[kind](self.batch[part])


def _taken(parameters: Sequence[nn.Parameter]) -> list[torch.Tensor | None]:
    """Their gradients, which they have no longer."""
    found = [parameter.grad for parameter in parameters]
    for parameter in parameters:
        parameter.grad = None
    return found


class UnrolledDarts(OrderedDarts):
    """NNI's DARTS strategy, second order."""

    module_class = UnrolledDartsModule
