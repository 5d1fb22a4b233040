"""Pairs of depthwise and pointwise convolutions equal a composition of torch's own modules, compiled or not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from audionas.kernels import depthwise_pointwise as module
from audionas.kernels import library, native
from audionas.kernels.depthwise_pointwise import Taps, depthwise_pointwise

DARTS = (
    Taps((3, 3), (1, 1), (1, 1)),
    Taps((5, 5), (1, 1), (2, 2)),
    Taps((3, 3), (2, 2), (2, 2)),
    Taps((5, 5), (2, 2), (4, 4)),
)
OTHERS = (
    Taps((1, 5), (1, 1), (0, 2)),
    Taps((5, 1), (2, 1), (4, 0)),
    Taps((1, 5), (1, 2), (0, 8)),  # causal: all zeros of the frames axis before
    Taps((3, 3), (2, 2), (2, 4)),
    Taps((10, 2), (1, 1), (4, 0)),
    Taps((2, 8), (1, 1), (0, 7)),
    Taps((4, 7), (3, 1), (4, 3)),
    Taps((1, 1), (1, 1), (0, 0)),
)
# batch, channels, features, frames
SHAPES = ((1, 1, 1, 2), (1, 6, 35, 35), (2, 13, 7, 18), (3, 5, 12, 1), (2, 4, 9, 33), (2, 6, 20, 16))


class Plain(nn.Module):
    """What the operation is, in torch's modules."""

    def __init__(self, channels: int, taps: Taps, stride: int, normalise: bool) -> None:
        super().__init__()
        height, width = ((k - 1) * d for k, d in zip(taps.kernel, taps.dilation, strict=True))
        top, left = taps.before
        self.norm = nn.BatchNorm2d(channels, affine=False, momentum=1.0) if normalise else nn.Identity()
        self.pad = nn.ZeroPad2d((left, width - left, top, height - top))
        self.depthwise = nn.Conv2d(
            channels, channels, taps.kernel, stride, dilation=taps.dilation, groups=channels, bias=False
        )
        self.pointwise = nn.Conv2d(channels, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        value: Tensor = self.pointwise(self.depthwise(self.pad(torch.relu(self.norm(x)))))
        return value


class Case:
    """Inputs, and the same as modules."""

    def __init__(
        self,
        shape: tuple[int, ...],
        taps: Sequence[Taps],
        stride: int,
        *,
        normalise: bool = False,
        shared: bool = True,
        dtype: torch.dtype = torch.float64,
    ) -> None:
        torch.manual_seed(len(taps) + sum(shape))
        self.taps, self.stride, self.normalise, self.dtype = taps, stride, normalise, dtype
        n_inputs = 1 if shared and not normalise else len(taps)
        self.x = [torch.randn(shape, dtype=dtype, requires_grad=True) for _ in range(n_inputs)]
        self.plain = [Plain(shape[1], each, stride, normalise).to(dtype) for each in taps]
        self.filters = [each.depthwise.weight for each in self.plain]
        self.pointwise = [each.pointwise.weight for each in self.plain]

    def wanted(self) -> list[Tensor]:
        return [*self.x, *self.filters, *self.pointwise]

    def fast(self) -> tuple[list[Tensor], Tensor, Tensor]:
        return depthwise_pointwise(self.x, self.filters, self.pointwise, self.taps, self.stride, self.normalise)

    def slow(self) -> list[Tensor]:
        return [each(self.x[g if len(self.x) > 1 else 0]) for g, each in enumerate(self.plain)]


def gradients(values: Sequence[Tensor], wanted: Sequence[Tensor]) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    received = [torch.randn(each.shape, generator=generator, dtype=torch.float64).to(each.dtype) for each in values]
    return list(torch.autograd.grad(values, wanted, received))


def relative(found: Sequence[Tensor], expected: Sequence[Tensor]) -> float:
    """The largest difference of a tensor over its largest value."""
    return max(
        float((a.detach().double() - b.detach().double()).abs().max() / b.detach().abs().max().clamp(min=1e-3))
        for a, b in zip(found, expected, strict=True)
    )


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("taps", [DARTS, OTHERS], ids=["darts", "others"])
@pytest.mark.parametrize("kind", ["shared", "own", "normalised"])
@pytest.mark.usefixtures("path")
def test_values_and_all_gradients_are_those_of_torchs_modules(
    shape: tuple[int, ...], stride: int, taps: tuple[Taps, ...], kind: str
) -> None:
    case = Case(shape, taps, stride, normalise=kind == "normalised", shared=kind == "shared")
    values, mean, variance = case.fast()
    expected = case.slow()
    assert relative(values, expected) < 1e-10
    assert relative(gradients(values, case.wanted()), gradients(expected, case.wanted())) < 1e-10
    if kind != "normalised":
        assert (mean.numel(), variance.numel()) == (0, 0)
        return
    n = shape[0] * shape[2] * shape[3]
    for k, each in enumerate(case.plain):  # momentum 1: the running statistics are those of this batch
        assert isinstance(each.norm, nn.BatchNorm2d)
        torch.testing.assert_close(mean[k], each.norm.running_mean, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(variance[k] * n / (n - 1), each.norm.running_var, rtol=1e-10, atol=1e-12)
    assert not mean.requires_grad
    assert not variance.requires_grad


@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.usefixtures("path")
def test_float32_agrees_with_float64(normalise: bool) -> None:
    exact = Case((2, 6, 40, 37), DARTS, 1, normalise=normalise)
    single = Case((2, 6, 40, 37), DARTS, 1, normalise=normalise, dtype=torch.float32)
    for one, other in zip(single.wanted(), exact.wanted(), strict=True):
        one.data.copy_(other.data)
    values, expected = single.fast()[0], exact.slow()
    found, right = gradients(values, single.wanted()), gradients(expected, exact.wanted())
    assert distance(values, expected) < 1e-6
    assert distance(found, right) < 1e-3


def distance(found: Sequence[Tensor], expected: Sequence[Tensor]) -> float:
    """Of all numbers together, over their norm: a ReLU that flips near 0 weighs little."""
    total = torch.cat([each.detach().flatten() for each in expected])
    return float((torch.cat([each.detach().flatten() for each in found]).double() - total).norm() / total.norm())


@pytest.mark.usefixtures("path")
def test_slices_of_channels_and_gradients_that_lie_elsewhere_are_read_right() -> None:
    case = Case((2, 4, 9, 11), DARTS, 1)
    wide = torch.cat([case.x[0], torch.randn_like(case.x[0])], dim=1).detach().requires_grad_()
    last = wide.detach()[:, :4].contiguous(memory_format=torch.channels_last).requires_grad_()
    expected = case.slow()
    for x, of in ((wide[:, :4], wide), (last, last)):
        values, _, _ = depthwise_pointwise([x], case.filters, case.pointwise, DARTS, 1, False)
        assert relative(values, expected) < 1e-10
        assert (
            relative([torch.autograd.grad(values[0].mean(), of)[0][:, :4]], gradients_of_mean(expected[0], case))
            < 1e-10
        )


def gradients_of_mean(value: Tensor, case: Case) -> list[Tensor]:
    return list(torch.autograd.grad(value.mean(), case.x, retain_graph=True))


@pytest.mark.parametrize("kept", ["x", "filters", "pointwise"])
@pytest.mark.skipif(library() is None, reason="no compiler")
def test_only_the_gradients_that_are_asked_for_are_computed_and_they_are_the_same(
    kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = Case((2, 5, 14, 19), DARTS, 1, normalise=True)
    full = dict(zip(map(id, case.wanted()), gradients(case.fast()[0], case.wanted()), strict=True))
    for each in case.wanted():
        each.requires_grad_(False)
    wanted = getattr(case, kept)
    for each in wanted:
        each.requires_grad_()
    asked = []
    real = native.call

    def call(name: str, *arguments: object) -> None:
        if name.endswith("gradient"):
            asked.append([each is not None for some in arguments[-3:] for each in some])  # type: ignore[attr-defined]
        real(name, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(native, "call", call)
    for found, each in zip(gradients(case.fast()[0], wanted), wanted, strict=True):
        assert torch.equal(found, full[id(each)])
    assert asked == [[each.requires_grad for each in case.wanted()]]


@pytest.mark.skipif(library() is None, reason="no compiler")
def test_two_threads_give_what_one_gives_and_the_same_each_time() -> None:
    found = []
    before = torch.get_num_threads()
    try:
        for threads in (1, 2, 2):
            torch.set_num_threads(threads)
            for normalise in (False, True):
                case = Case((3, 5, 14, 19), DARTS, 2 - normalise, normalise=normalise)
                values, mean, variance = case.fast()
                found.append([*values, mean, variance, *gradients(values, case.wanted())])
    finally:
        torch.set_num_threads(before)
    for single, double, again in zip(found[:2], found[2:4], found[4:], strict=True):
        assert all(map(torch.equal, double, again))
        assert all(torch.allclose(a, b, rtol=1e-10, atol=1e-10) for a, b in zip(single, double, strict=True))


@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.usefixtures("path")
def test_what_is_no_number_stays_none(normalise: bool) -> None:
    case = Case((2, 3, 8, 9), DARTS[:1], 1, normalise=normalise)
    case.x[0].data[1, 2, 4, 5] = torch.nan
    (value,), _, _ = case.fast()
    expected = torch.zeros(2, 3, 8, 9, dtype=torch.bool)
    expected[1, :, 3:6, 4:7] = True
    assert torch.equal(torch.isnan(value), torch.ones_like(expected) if normalise else expected)
    assert all(bool(torch.isnan(each).any()) for each in gradients([value], case.wanted()[1:]))


@pytest.mark.skipif(library() is None, reason="no compiler")
def test_gradients_can_be_differentiated_again() -> None:
    case = Case((2, 2, 4, 5), DARTS[:2], 1, normalise=True)

    def values(*tensors: Tensor) -> tuple[Tensor, ...]:
        return tuple(depthwise_pointwise(tensors[:2], tensors[2:4], tensors[4:], DARTS[:2], 1, True)[0])

    assert torch.autograd.gradgradcheck(values, case.wanted())


def test_of_tensors_without_values_only_what_is_kept_is_made() -> None:
    with torch.device("meta"):
        case = Case((2, 3, 8, 9), DARTS, 2, dtype=torch.float32)
    assert [(each.shape, each.is_meta) for each in case.fast()[0]] == [((2, 3, 4, 5), True)] * 4


def test_other_tensors_take_the_path_in_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module._DepthwisePointwise, "apply", lambda *_: pytest.fail("compiled"))
    half = Case((2, 3, 8, 9), DARTS, 2, dtype=torch.bfloat16)
    assert [each.dtype for each in half.fast()[0]] == [torch.bfloat16] * 4
