"""Convolutions of several edges together are those of each edge by itself, and keep their inputs alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from audionas.kernels.depthwise_pointwise import Taps
from audionas.kernels.joint_pairs import joint_normalised_pairs, joint_pairs, takes_joint

TAPS = {
    "3x3": Taps((3, 3), (1, 1), (1, 1)),
    "5x5": Taps((5, 5), (1, 1), (2, 2)),
    "dilated": Taps((3, 3), (2, 2), (2, 2)),
    "1x5": Taps((1, 5), (1, 1), (0, 2)),
}
Gradients = tuple[Tensor, ...]
SHAPES = ((1, 2, 5, 7), (3, 6, 12, 9), (2, 4, 1, 11))


def drawn(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


def apart(x: Tensor, depthwise: Tensor, pointwise: Tensor, taps: Taps, stride: int) -> Tensor:
    z = functional.conv2d(x, depthwise, None, stride, taps.before, taps.dilation, groups=x.shape[1])
    return functional.conv2d(z, pointwise)


def weights(n: int, channels: int, taps: Taps) -> tuple[list[Tensor], list[Tensor]]:
    return [drawn(channels, 1, *taps.kernel) for _ in range(n)], [drawn(channels, channels, 1, 1) for _ in range(n)]


def check(found: Tensor, expected: Tensor, given: list[Tensor]) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    received = torch.randn_like(found)
    ours, theirs = (torch.autograd.grad(each, given, received) for each in (found, expected))
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("name", TAPS)
def test_groups_of_one_input_are_those_of_each_by_itself(
    shape: tuple[int, ...], stride: int, n: int, name: str
) -> None:
    torch.manual_seed(0)
    x, (depthwise, pointwise) = drawn(*shape), weights(n, shape[1], TAPS[name])
    found = joint_pairs(x, depthwise, pointwise, TAPS[name], stride)
    each = [apart(x, a, b, TAPS[name], stride) for a, b in zip(depthwise, pointwise, strict=True)]
    check(found, torch.cat(each, dim=1), [x, *depthwise, *pointwise])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("name", TAPS)
def test_groups_of_inputs_of_their_own_are_normalised_and_rectified_first(
    shape: tuple[int, ...], n: int, name: str
) -> None:
    torch.manual_seed(0)
    batch, channels, *size = shape
    x, (depthwise, pointwise) = drawn(batch, n * channels, *size), weights(n, channels, TAPS[name])
    found, mean, variance = joint_normalised_pairs(x, depthwise, pointwise, TAPS[name])
    own = x.chunk(n, dim=1)
    each = [
        apart(functional.relu(functional.batch_norm(part, None, None, training=True)), a, b, TAPS[name], 1)
        for part, a, b in zip(own, depthwise, pointwise, strict=True)
    ]
    check(found, torch.cat(each, dim=1), [x, *depthwise, *pointwise])
    torch.testing.assert_close(mean, torch.stack([part.mean(dim=(0, 2, 3)) for part in own]))
    torch.testing.assert_close(variance, torch.stack([part.var(dim=(0, 2, 3), correction=0) for part in own]))


@pytest.mark.parametrize("wanted", [{"x"}, {"depthwise"}, {"pointwise"}, {"x", "pointwise"}])
def test_what_is_asked_for_alone_is_the_same(wanted: set[str]) -> None:
    torch.manual_seed(0)
    x, (depthwise, pointwise) = drawn(2, 6, 7, 8), weights(3, 2, TAPS["3x3"])
    given = {"x": [x], "depthwise": depthwise, "pointwise": pointwise}
    every = [each for parts in given.values() for each in parts]
    received = torch.randn(2, 6, 7, 8, dtype=torch.float64)
    full = dict(zip(map(id, every), gradients(x, depthwise, pointwise, every, received), strict=True))
    for name, parts in given.items():
        for each in parts:
            each.requires_grad_(name in wanted)
    some = [each for each in every if each.requires_grad]
    for each, found in zip(some, gradients(x, depthwise, pointwise, some, received), strict=True):
        torch.testing.assert_close(found, full[id(each)], rtol=1e-12, atol=1e-12)


def gradients(
    x: Tensor, depthwise: list[Tensor], pointwise: list[Tensor], of: list[Tensor], received: Tensor
) -> Gradients:
    return torch.autograd.grad(joint_normalised_pairs(x, depthwise, pointwise, TAPS["3x3"])[0], of, received)


def test_gradients_can_be_differentiated_again() -> None:
    torch.manual_seed(0)
    x, (depthwise, pointwise) = drawn(2, 4, 3, 4), weights(2, 2, TAPS["3x3"])
    assert torch.autograd.gradgradcheck(
        lambda x, *given: joint_normalised_pairs(x, given[:2], given[2:], TAPS["3x3"])[0], (x, *depthwise, *pointwise)
    )


def test_inputs_alone_are_kept() -> None:
    x, (depthwise, pointwise) = drawn(4, 6, 20, 21), weights(3, 2, TAPS["5x5"])
    kept: dict[int, int] = {}

    def keep(each: Tensor) -> Tensor:
        kept[each.untyped_storage().data_ptr()] = each.untyped_storage().nbytes()
        return each

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda each: each):
        joint_normalised_pairs(x, depthwise, pointwise, TAPS["5x5"])
    maps = x.numel() * x.element_size()
    assert maps <= sum(kept.values()) < 1.1 * maps


def test_bfloat16_is_near_float32_and_weights_get_gradients_of_their_own_type() -> None:
    torch.manual_seed(0)
    x, (depthwise, pointwise) = torch.randn(4, 6, 9, 9), weights(3, 2, TAPS["3x3"])
    depthwise, pointwise = ([each.detach().float().requires_grad_() for each in own] for own in (depthwise, pointwise))
    expected, _, _ = joint_normalised_pairs(x, depthwise, pointwise, TAPS["3x3"])
    with torch.autocast("cpu", torch.bfloat16):
        found, mean, _ = joint_normalised_pairs(x, depthwise, pointwise, TAPS["3x3"])
    assert (found.dtype, mean.dtype) == (torch.bfloat16, torch.float32)
    assert float(((found - expected).norm() / expected.norm()).detach()) < 0.02
    for one, other in zip(*(torch.autograd.grad(each.sum(), depthwise) for each in (found, expected)), strict=True):
        assert one.dtype == torch.float32
        assert float((one - other).norm() / other.norm()) < 0.05


def test_only_a_card_and_even_zeros_take_them() -> None:
    causal = Taps((3, 3), (1, 1), (1, 2))
    assert not takes_joint(torch.zeros(1), [TAPS["3x3"]])

    class OnCard:
        is_cuda = True

    assert takes_joint(OnCard(), [TAPS["3x3"]])  # type: ignore[arg-type]
    assert not takes_joint(OnCard(), [TAPS["3x3"], causal])  # type: ignore[arg-type]
