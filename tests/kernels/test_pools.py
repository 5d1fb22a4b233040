"""Both pools equal torch's, ties and gradients included."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from audionas.kernels.pools import max_and_average_pool

SHAPES = ((1, 1, 1, 1), (1, 3, 1, 7), (2, 2, 7, 1), (2, 5, 8, 9), (3, 13, 9, 8), (2, 3, 2, 2), (1, 2, 33, 40))


pytestmark = pytest.mark.usefixtures("path")


def plain(x: Tensor, stride: int) -> tuple[Tensor, Tensor]:
    return nn.MaxPool2d(3, stride, 1)(x), nn.AvgPool2d(3, stride, 1, count_include_pad=False)(x)


def gradient(values: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    received = [torch.randn(each.shape, generator=generator, dtype=torch.float64).to(each.dtype) for each in values]
    return torch.autograd.grad(values, x, received)[0]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_values_and_gradients_are_those_of_torch(
    shape: tuple[int, ...], stride: int, ties: bool, dtype: torch.dtype
) -> None:
    torch.manual_seed(sum(shape))
    x = torch.randn(shape, dtype=dtype)
    x = (x.round() if ties else x).requires_grad_()
    found, expected = max_and_average_pool(x, stride), plain(x, stride)
    tolerance = 1e-10 if dtype == torch.float64 else 1e-5
    assert torch.equal(found[0], expected[0])
    assert torch.allclose(found[1], expected[1], rtol=tolerance, atol=tolerance)
    assert torch.allclose(gradient(found, x), gradient(expected, x), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("stride", [1, 2])
def test_of_equal_values_the_first_in_reading_order_gets_the_gradient(stride: int) -> None:
    x = torch.tensor([[1.0, 2.0, 2.0], [2.0, 2.0, 1.0], [-torch.inf, 0.0, 0.0]])[None, None].requires_grad_()
    maximum, _ = max_and_average_pool(x, stride)
    found = torch.autograd.grad(maximum.sum(), x)[0][0, 0]
    # Stride 1: of the nine windows, six see the 2 of the first row and second column, two that below it to the left.
    expected = [[0, 6, 0], [2, 1, 0], [0, 0, 0]] if stride == 1 else [[0, 2, 0], [1, 1, 0], [0, 0, 0]]
    assert found.tolist() == expected


@pytest.mark.parametrize("stride", [1, 2])
def test_infinities_and_what_is_no_number_come_through(stride: int) -> None:
    x = torch.randn(2, 3, 6, 7, dtype=torch.float64)
    x[0, 0] = -torch.inf
    x[0, 1, 3, 3] = torch.nan
    x[1, 2, 0, 0] = torch.inf
    for found, expected in zip(max_and_average_pool(x, stride), plain(x, stride), strict=True):
        assert torch.allclose(found, expected, rtol=1e-12, atol=0, equal_nan=True)


def test_a_slice_of_channels_is_read_right() -> None:
    x = torch.randn(3, 6, 7, 8, dtype=torch.float64, requires_grad=True)
    found, expected = max_and_average_pool(x[:, :2], 1), plain(x[:, :2], 1)
    assert torch.allclose(found[1], expected[1], rtol=1e-12, atol=1e-12)
    assert torch.allclose(gradient(found, x), gradient(expected, x), rtol=1e-12, atol=1e-12)


def test_two_threads_give_what_one_gives() -> None:
    x = torch.randn(3, 5, 14, 19, dtype=torch.float64, requires_grad=True)
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            values = max_and_average_pool(x, 1)
            found.append([*values, gradient(values, x)])
    finally:
        torch.set_num_threads(before)
    assert all(torch.allclose(a, b, rtol=1e-10, atol=1e-10) for a, b in zip(*found, strict=True))


def test_gradients_can_be_differentiated_again() -> None:
    x = torch.randn(1, 2, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x: max_and_average_pool(x, 1), x)
