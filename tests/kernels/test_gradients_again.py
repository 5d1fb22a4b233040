"""Second derivatives of what the kernels compute: those of the same written in plain torch, both paths."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from audionas.kernels import library, use_kernels
from audionas.kernels.depthwise_pointwise import Taps, depthwise_pointwise
from audionas.kernels.mixed_sum import mixed_sum
from audionas.kernels.pools import max_and_average_pool

TAPS = Taps((3, 3), (1, 1), (1, 1))
Function = Callable[[Tensor, Tensor], Tensor]


@pytest.fixture(params=["compiled", "torch"], autouse=True)
def _path(request: pytest.FixtureRequest) -> Iterator[None]:
    use_kernels(None, print)
    if request.param == "compiled" and library() is None:
        pytest.skip("no compiler")
    use_kernels(request.param, print)
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)
    use_kernels("auto", print)


def normalised(x: Tensor) -> Tensor:
    return functional.batch_norm(x, None, None, training=True, eps=1e-5)


def of_terms_made_from_each_other(weights: Tensor, x: Tensor) -> Tensor:
    maximum, mean = max_and_average_pool(x, 1)
    (z,), _, _ = depthwise_pointwise([maximum], [x[:1, :1, :3, :3]], [weights[:1, None, None, None]], [TAPS], 1, False)
    first, _, _ = mixed_sum(weights, [x, maximum, mean, z], [False, True, True, True])
    second, _, _ = mixed_sum(weights, [x, first, first * x, z], [False, False, True, True])
    return second


def in_plain_torch(weights: Tensor, x: Tensor) -> Tensor:
    maximum = functional.max_pool2d(x, 3, 1, 1)
    mean = functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
    z = weights[0] * functional.conv2d(maximum.relu(), x[:1, :1, :3, :3], padding=1)
    first = weights[0] * x + sum(w * normalised(t) for w, t in zip(weights[1:], (maximum, mean, z), strict=True))
    return weights[0] * x + weights[1] * first + weights[2] * normalised(first * x) + weights[3] * normalised(z)


def second_derivatives(function: Function) -> list[Tensor]:
    """Of the squared norm of the gradient."""
    torch.manual_seed(1)
    weights, x = torch.randn(4, requires_grad=True), torch.randn(2, 1, 6, 7, requires_grad=True)
    gradients = torch.autograd.grad(function(weights, x).pow(3).sum(), [weights, x], create_graph=True)
    total = sum(gradient.pow(2).sum() for gradient in gradients)
    return list(torch.autograd.grad(total, [weights, x]))


def test_terms_that_are_made_from_each_other_count_each_for_itself() -> None:
    found, expected = second_derivatives(of_terms_made_from_each_other), second_derivatives(in_plain_torch)
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-8)
