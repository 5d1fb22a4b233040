"""The gradient of second-order DARTS, in place: the supernet's own weights are moved and put back, no second network.

Source: Liu et al. 2019 (DARTS), equations 7 and 8, and its release (the step of the weights includes momentum and
weight decay; epsilon is 0.01 over the norm of the gradient).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from audionas.models.supernet import constant

EPSILON = 0.01
LossOf = Callable[[], Tensor]


@dataclass(frozen=True)
class WeightStep:
    """One step of the optimiser of the weights, as the release unrolls it: without clipping."""

    optimiser: torch.optim.Optimizer

    @property
    def rate(self) -> float:
        """xi, the current learning rate."""
        return float(self.optimiser.param_groups[0]["lr"])

    def of(self, weight: Tensor, gradient: Tensor) -> Tensor:
        """What is subtracted from a weight; of an optimiser without momentum (Adam) a plain gradient step."""
        group = self.optimiser.param_groups[0]
        step: Tensor = gradient + group["weight_decay"] * weight
        momentum: Tensor | None = self.optimiser.state.get(weight, {}).get("momentum_buffer")
        if momentum is not None:
            step = step + group["momentum"] * momentum
        return self.rate * step


def unrolled_gradient(
    train_loss: LossOf, alphas_loss: LossOf, alphas: Sequence[Tensor], weights: Sequence[Tensor], step: WeightStep
) -> tuple[list[Tensor], Tensor]:
    """Gradient of the alphas' loss after one step of the weights, for each of `alphas`, and that loss.

    `train_loss` is taken three times with the same draws of torch's generator. The weights end as they began, bit
    for bit. Costs four forward and backward passes and one copy of the weights.
    """
    kept = [weight.detach().clone() for weight in weights]
    state = torch.get_rng_state()
    try:
        with constant(alphas):
            loss_of_weights = train_loss()
        gradients = torch.autograd.grad(loss_of_weights, weights, allow_unused=True)
        with torch.no_grad():
            for weight, gradient in zip(weights, gradients, strict=True):
                if gradient is not None:
                    weight -= step.of(weight, gradient)
        loss = alphas_loss()
        found = torch.autograd.grad(loss, [*alphas, *weights], allow_unused=True)
        direct, vector = found[: len(alphas)], found[len(alphas) :]
        after = torch.get_rng_state()
        product = _mixed_product(train_loss, alphas, weights, kept, vector, state)
        torch.set_rng_state(after)
    finally:
        _put(weights, kept)
    pairs = zip(_filled(direct, alphas), product, strict=True)
    return [first - step.rate * second for first, second in pairs], loss.detach()


def _mixed_product(
    train_loss: LossOf,
    alphas: Sequence[Tensor],
    weights: Sequence[Tensor],
    kept: Sequence[Tensor],
    vector: Sequence[Tensor | None],
    state: Tensor,
) -> list[Tensor]:
    """Equation 8: the Hessian in alphas and weights times `vector`, by central differences about the kept weights."""
    norm = torch.sqrt(sum((part.pow(2).sum() for part in vector if part is not None), torch.zeros(())))
    epsilon = EPSILON / max(float(norm), 1e-12)
    sides = []
    for sign in (1.0, -1.0):
        _put(weights, kept)
        with torch.no_grad():
            for weight, part in zip(weights, vector, strict=True):
                if part is not None:
                    weight.add_(part, alpha=sign * epsilon)
        torch.set_rng_state(state)
        with constant(weights):
            loss = train_loss()
        sides.append(_filled(torch.autograd.grad(loss, alphas, allow_unused=True), alphas))
    return [(plus - minus) / (2 * epsilon) for plus, minus in zip(*sides, strict=True)]


def _filled(gradients: Sequence[Tensor | None], of: Sequence[Tensor]) -> list[Tensor]:
    return [torch.zeros_like(p) if g is None else g for g, p in zip(gradients, of, strict=True)]


def _put(weights: Sequence[Tensor], kept: Sequence[Tensor]) -> None:
    with torch.no_grad():
        for weight, value in zip(weights, kept, strict=True):
            weight.copy_(value)
