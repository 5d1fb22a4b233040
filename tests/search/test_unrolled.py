"""The unrolled gradient against the exact one: equation 7 differentiated through the step by autograd."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from audionas.models import Supernet, build_supernet
from audionas.models.supernet import frozen_statistics
from audionas.search.unrolled import WeightStep, unrolled_gradient
from audionas.spaces import CnnCellSpace

SPACE = CnnCellSpace(
    nodes=2,
    ops=("none", "skip_connect", "sep_conv_3x3", "avg_pool_3x3"),
    macro={"n_cells": 2, "channels": 2, "reduction_at": ["1/2"]},
)
RATE, MOMENTUM, DECAY = 0.3, 0.9, 0.01


@pytest.fixture(autouse=True)
def _double_precision() -> Iterator[None]:
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


class Step:
    """A supernet after one step of SGD (so that there is momentum), and a batch of each part."""

    def __init__(self, momentum: float) -> None:
        self.supernet: Supernet = build_supernet(SPACE, (1, 8, 8), 3)
        for alphas in self.supernet.arch_parameters():
            alphas.data.normal_()
        self.alphas = {n: p for n, p in self.supernet.named_parameters() if n.startswith("alphas_")}
        self.weights = {n: p for n, p in self.supernet.named_parameters() if not n.startswith("alphas_")}
        self.train, self.val = ((torch.randn(8, 1, 8, 8), torch.randint(3, (8,))) for _ in range(2))
        self.optimiser = torch.optim.SGD(self.weights.values(), RATE, momentum=momentum, weight_decay=DECAY)
        self.loss(*self.train).backward()
        self.optimiser.step()

    def loss(self, x: Tensor, targets: Tensor) -> Tensor:
        return cross_entropy(self.supernet(x), targets)

    def found(self) -> list[Tensor]:
        with frozen_statistics(self.supernet):
            return unrolled_gradient(
                lambda: self.loss(*self.train), lambda: self.loss(*self.val),
                list(self.alphas.values()), list(self.weights.values()), WeightStep(self.optimiser),
            )[0]  # fmt: skip

    def exact(self) -> tuple[Tensor, Tensor]:
        """The gradient through the step, and the first-order part of it (the step held fixed)."""

        def loss_at(weights: dict[str, Tensor], batch: tuple[Tensor, Tensor]) -> Tensor:
            logits = functional_call(self.supernet, {**weights, **self.alphas}, (batch[0],))
            return cross_entropy(logits, batch[1])

        alphas = list(self.alphas.values())
        with frozen_statistics(self.supernet):
            gradients = torch.autograd.grad(loss_at(self.weights, self.train), self.weights.values(), create_graph=True)
            ahead = {}
            for (name, weight), gradient in zip(self.weights.items(), gradients, strict=True):
                buffer = self.optimiser.state[weight].get("momentum_buffer")
                momentum = 0 if buffer is None else MOMENTUM * buffer
                ahead[name] = weight.detach() - RATE * (momentum + gradient + DECAY * weight.detach())
            whole = torch.autograd.grad(loss_at(ahead, self.val), alphas, retain_graph=True)
            fixed = {name: value.detach() for name, value in ahead.items()}
            direct = torch.autograd.grad(loss_at(fixed, self.val), alphas)
        return torch.cat([g.flatten() for g in whole]), torch.cat([g.flatten() for g in direct])


@pytest.mark.parametrize("momentum", [0.0, MOMENTUM])
def test_the_gradient_in_place_is_that_through_the_step(momentum: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a small epsilon: between the two sides of a large one, units of this tiny network switch on and off."""
    monkeypatch.setattr("audionas.search.unrolled.EPSILON", 1e-5)
    step = Step(momentum)
    whole, direct = step.exact()
    found = torch.cat([gradient.flatten() for gradient in step.found()])
    second = whole - direct  # -xi times the mixed Hessian times the gradient at w'
    assert second.norm() > 0.05 * whole.norm(), "the second term counts, else a wrong one would pass"
    error = float((found - whole).norm() / second.norm())
    assert error < 1e-6  # a wrong sign gives 2, a missing factor 2 gives 1, a forgotten momentum or decay 0.01 or more


def test_epsilon_is_a_hundredth_over_the_norm_of_the_gradient() -> None:
    """L_train = a w^3 and L_val = w' c: the difference is exactly 3 w^2 c + e^2 c^3, with e = 0.01/|c|."""
    alpha, weight = torch.tensor([0.0], requires_grad=True), torch.tensor([2.0], requires_grad=True)
    step = WeightStep(torch.optim.SGD([weight], 0.1))
    found, _ = unrolled_gradient(lambda: (alpha * weight**3).sum(), lambda: 7 * weight.sum(), [alpha], [weight], step)
    assert float(found[0]) == pytest.approx(-0.1 * (3 * 4 * 7 + 0.01**2 * 7), rel=1e-9)


def test_weights_statistics_and_gradients_are_left_bit_for_bit() -> None:
    step = Step(MOMENTUM)
    before = {name: value.clone() for name, value in step.supernet.state_dict().items()}
    held = [None if w.grad is None else w.grad.clone() for w in step.weights.values()]
    step.found()
    assert all(torch.equal(value, before[name]) for name, value in step.supernet.state_dict().items())
    for weight, gradient in zip(step.weights.values(), held, strict=True):
        assert (weight.grad is None) == (gradient is None)
        assert gradient is None or torch.equal(weight.grad, gradient)
    assert step.supernet.training


def test_weights_are_put_back_when_a_loss_fails() -> None:
    step = Step(MOMENTUM)
    before = [weight.detach().clone() for weight in step.weights.values()]

    def fail() -> Tensor:
        raise MemoryError

    with pytest.raises(MemoryError):
        unrolled_gradient(
            lambda: step.loss(*step.train), fail, list(step.alphas.values()), list(step.weights.values()),
            WeightStep(step.optimiser),
        )  # fmt: skip
    assert all(torch.equal(weight, kept) for weight, kept in zip(step.weights.values(), before, strict=True))


def test_both_sides_of_the_difference_see_the_same_noise() -> None:
    """A loss whose noise is as large as itself: without equal draws the difference would be noise over epsilon."""
    alpha, weight = torch.tensor([0.5], requires_grad=True), torch.tensor([2.0], requires_grad=True)
    step = WeightStep(torch.optim.SGD([weight], 0.1))

    def train_loss() -> Tensor:
        return (alpha * weight**2 + torch.randn(1) * alpha).sum()

    found, _ = unrolled_gradient(train_loss, lambda: (weight**3).sum(), [alpha], [weight], step)
    ahead = 2.0 - 0.1 * (2 * 0.5 * 2.0)  # w' = w - xi 2 a w
    # d/da of w'^3: 3 w'^2 times dw'/da = -xi 2 w
    assert float(found[0]) == pytest.approx(3 * ahead**2 * -0.1 * 2 * 2.0, rel=1e-9)


def test_an_optimiser_without_momentum_is_unrolled_by_a_plain_step() -> None:
    weight = torch.tensor([2.0], requires_grad=True)
    optimiser = torch.optim.Adam([weight], 0.1, weight_decay=0.5)
    (found,) = WeightStep(optimiser).of([weight.detach()], [torch.tensor([3.0])])
    assert float(found) == pytest.approx(0.1 * (3.0 + 0.5 * 2.0))
