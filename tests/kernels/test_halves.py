"""The two halves of a factorised reduction are slices of the padded input after ReLU."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from audionas.kernels.halves import rectified_halves

SHAPES = ((1, 1, 1, 1), (1, 3, 1, 7), (2, 2, 7, 1), (2, 5, 8, 9), (3, 4, 9, 8), (2, 3, 2, 2), (1, 2, 33, 41))


pytestmark = pytest.mark.usefixtures("path")


def plain(x: Tensor, causal: bool) -> tuple[Tensor, Tensor]:
    batch, channels, features, frames = x.shape
    shape = (batch, channels, -(-features // 2), -(-frames // 2))
    first, second = [], []
    for h in range(0, features, 2):
        for w in range(0, frames, 2):
            first.append(x[:, :, h, w].relu())
            column = w - 1 if causal else w + 1
            is_inside = h + 1 < features and 0 <= column < frames
            second.append(x[:, :, h + 1, column].relu() if is_inside else 0 * x[:, :, 0, 0])
    one, two = (torch.stack(each, dim=2).reshape(shape) for each in (first, second))
    return one, two


def gradient(values: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    received = [torch.randn(each.shape, generator=generator, dtype=torch.float64).to(each.dtype) for each in values]
    return torch.autograd.grad(values, x, received)[0]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_values_and_gradients_are_those_of_the_pixels(shape: tuple[int, ...], causal: bool, dtype: torch.dtype) -> None:
    torch.manual_seed(sum(shape))
    x = torch.randn(shape, dtype=dtype, requires_grad=True)
    found, expected = rectified_halves(x, causal), plain(x, causal)
    assert torch.equal(found[0], expected[0])
    assert torch.equal(found[1], expected[1])
    assert torch.equal(gradient(found, x), gradient(expected, x))


def test_a_slice_of_channels_and_channels_last_are_read_right() -> None:
    x = torch.randn(2, 6, 7, 8, dtype=torch.float64)
    for own in (x[:, :3], x[:, :3].contiguous(memory_format=torch.channels_last)):
        assert all(map(torch.equal, rectified_halves(own), plain(x[:, :3], False)))


def test_what_is_no_number_stays_none() -> None:
    x = torch.randn(1, 1, 4, 4)
    x[0, 0, 0, 0] = x[0, 0, 3, 3] = torch.nan
    assert [torch.isnan(each).nonzero().tolist() for each in rectified_halves(x)] == [[[0, 0, 0, 0]], [[0, 0, 1, 1]]]


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("size", [(4, 6), (5, 7)])
def test_gradients_can_be_differentiated_again(causal: bool, size: tuple[int, int]) -> None:
    x = torch.randn(1, 2, *size, dtype=torch.float64, requires_grad=True)
    values = rectified_halves(x, causal)
    first = torch.autograd.grad([each.square().sum() for each in values], x, create_graph=True)[0]
    expected = torch.autograd.grad([each.square().sum() for each in plain(x, causal)], x, create_graph=True)[0]
    assert torch.equal(first, expected)
    assert torch.equal(gradient((first, first), x), gradient((expected, expected), x))
    assert torch.autograd.gradgradcheck(lambda x: rectified_halves(x, causal), x)
