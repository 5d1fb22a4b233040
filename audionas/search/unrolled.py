"""The gradient of second-order DARTS, in place: the supernet's own weights are moved and put back, no second network.

Source: Liu et al. 2019 (DARTS), equations 7 and 8, and its release (the step of the weights includes momentum and
weight decay; epsilon is 0.01 over the norm of the gradient).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

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

    def of(self, weights: list[Tensor], gradients: list[Tensor]) -> tuple[Tensor, ...]:
        """What is subtracted from weights; of an optimiser without momentum (Adam) a plain gradient step."""
        group = self.optimiser.param_groups[0]
        step = torch._foreach_add(gradients, torch._foreach_mul(weights, group["weight_decay"]))
        buffers = [self.optimiser.state.get(weight, {}).get("momentum_buffer") for weight in weights]
        known = [k for k, buffer in enumerate(buffers) if buffer is not None]
        if known:
            momenta = torch._foreach_mul([buffers[k] for k in known], group["momentum"])
            torch._foreach_add_([step[k] for k in known], momenta)
        return torch._foreach_mul(step, self.rate)


class Passes(Protocol):
    """Forward and backward passes at the weights as they are now; a gradient is None where nothing depends on it."""

    def of_weights(self) -> Sequence[Tensor | None]:
        """The training loss's gradient of each weight."""
        ...

    def of_both(self) -> tuple[Sequence[Tensor | None], Tensor]:
        """The gradient of the alphas' loss, first of each alpha, then of each weight, and that loss."""
        ...

    def of_alphas(self) -> Sequence[Tensor | None]:
        """The training loss's gradient of each alpha."""
        ...


@dataclass(frozen=True)
class LossPasses:
    """Passes of two losses."""

    train_loss: LossOf
    alphas_loss: LossOf
    alphas: Sequence[Tensor]
    weights: Sequence[Tensor]

    def of_weights(self) -> Sequence[Tensor | None]:
        """See `Passes`."""
        with constant(self.alphas):
            loss = self.train_loss()
        return torch.autograd.grad(loss, self.weights, allow_unused=True)

    def of_both(self) -> tuple[Sequence[Tensor | None], Tensor]:
        """See `Passes`."""
        loss = self.alphas_loss()
        return torch.autograd.grad(loss, [*self.alphas, *self.weights], allow_unused=True), loss.detach()

    def of_alphas(self) -> Sequence[Tensor | None]:
        """See `Passes`."""
        with constant(self.weights):
            loss = self.train_loss()
        return torch.autograd.grad(loss, self.alphas, allow_unused=True)


def unrolled_gradient(
    train_loss: LossOf, alphas_loss: LossOf, alphas: Sequence[Tensor], weights: Sequence[Tensor], step: WeightStep
) -> tuple[list[Tensor], Tensor]:
    """Gradient of the alphas' loss after one step of the weights, for each of `alphas`, and that loss.

    `train_loss` is taken three times with the same draws of torch's generator. The weights end as they began, bit
    for bit. Costs four forward and backward passes and one copy of the weights.
    """
    return unrolled_gradient_by(LossPasses(train_loss, alphas_loss, alphas, weights), alphas, weights, step)


def unrolled_gradient_by(
    passes: Passes, alphas: Sequence[Tensor], weights: Sequence[Tensor], step: WeightStep
) -> tuple[list[Tensor], Tensor]:
    """The same from passes."""
    kept = [torch.empty_like(weight) for weight in weights]
    _put(kept, weights)
    noise = _Noise(weights[0].device)
    state = noise.state()
    try:
        moved, gradients = _present(weights, passes.of_weights())
        with torch.no_grad():
            torch._foreach_sub_(moved, step.of(moved, gradients))
        found, loss = passes.of_both()
        direct, vector = found[: len(alphas)], found[len(alphas) :]
        after = noise.state()
        product = _mixed_product(passes, alphas, weights, kept, vector, lambda: noise.be(state))
        noise.be(after)
    finally:
        _put(weights, kept)
    pairs = zip(_filled(direct, alphas), product, strict=True)
    return [first - step.rate * second for first, second in pairs], loss


def _mixed_product(
    passes: Passes,
    alphas: Sequence[Tensor],
    weights: Sequence[Tensor],
    kept: Sequence[Tensor],
    vector: Sequence[Tensor | None],
    draw_again: Callable[[], None],
) -> list[Tensor]:
    """Equation 8: the Hessian in alphas and weights times `vector`, by central differences about the kept weights."""
    moved, parts = _present(weights, vector)
    norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(parts))) if parts else alphas[0].new_zeros(())
    epsilon = EPSILON / norm.clamp(min=1e-12)  # no number: nobody waits
    way = list(torch._foreach_mul(parts, epsilon)) if parts else []
    sides = []
    for sign in (1.0, -1.0):
        _put(weights, kept)
        if parts:
            with torch.no_grad():
                torch._foreach_add_(moved, way, alpha=sign)
        draw_again()
        sides.append(_filled(passes.of_alphas(), alphas))
    return [(plus - minus) / (2 * epsilon) for plus, minus in zip(*sides, strict=True)]


class _Noise:
    """The generators that a loss draws from: the processor's and, of weights on a card, the card's."""

    def __init__(self, device: torch.device) -> None:
        self._card = device if device.type == "cuda" else None

    def state(self) -> tuple[Tensor, Tensor | None]:
        """Where they are."""
        return torch.get_rng_state(), torch.cuda.get_rng_state(self._card) if self._card else None

    def be(self, state: tuple[Tensor, Tensor | None]) -> None:
        """Be where they were."""
        torch.set_rng_state(state[0])
        if state[1] is not None and self._card is not None:
            torch.cuda.set_rng_state(state[1], self._card)


def _filled(gradients: Sequence[Tensor | None], of: Sequence[Tensor]) -> list[Tensor]:
    return [torch.zeros_like(p) if g is None else g for g, p in zip(gradients, of, strict=True)]


def _put(weights: Sequence[Tensor], kept: Sequence[Tensor]) -> None:
    with torch.no_grad():
        torch._foreach_copy_(list(weights), list(kept))


def _present(weights: Sequence[Tensor], gradients: Sequence[Tensor | None]) -> tuple[list[Tensor], list[Tensor]]:
    """The weights that have a gradient, and those."""
    pairs = [(w, g) for w, g in zip(weights, gradients, strict=True) if g is not None]
    return [w for w, _ in pairs], [g for _, g in pairs]
