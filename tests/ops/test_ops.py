"""What every CNN operation keeps to, and the few whose numbers can be written out."""

from __future__ import annotations

from math import ceil

import pytest
import torch
from torch import nn

from audionas.errors import SettingsError
from audionas.ops import CNN_OPS, NONE, FactorizedReduce, build_cnn_op

SIZES = [(8, 8), (7, 8), (8, 7), (1, 9), (1, 1)]
every_op = pytest.mark.parametrize("name", CNN_OPS)


def test_the_operations_of_darts_are_there_and_those_for_time_and_frequency() -> None:
    # Liu et al. 2019, section 3.1.1
    darts = {
        "none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3",
        "dil_conv_5x5",
    }  # fmt: skip
    one_axis = {f"{op}_{kernel}" for op in ("max_pool", "avg_pool") for kernel in ("1x3", "3x1")}
    one_axis |= {f"conv_{kernel}" for kernel in ("1x5", "5x1", "1x9", "9x1")} | {"dil_conv_1x5", "dil_conv_5x1"}
    both_axes = {"conv_2x8", "conv_10x2", "squeeze_excitation", "glu_3x3"}  # Li et al. 2018; Hu 2018; Dauphin 2017
    assert set(CNN_OPS) == darts | one_axis | both_axes


@every_op
@pytest.mark.parametrize("stride", [1, 2])
def test_stride_one_keeps_the_size_and_stride_two_halves_it_rounding_up(name: str, stride: int) -> None:
    op = build_cnn_op(name, 4, stride, affine=False)
    for features, frames in SIZES:
        y = op(torch.randn(3, 4, features, frames))
        assert tuple(y.shape) == (3, 4, ceil(features / stride), ceil(frames / stride))


@every_op
@pytest.mark.parametrize("stride", [1, 2])
def test_gradient_reaches_the_input_and_every_weight_but_through_none(name: str, stride: int) -> None:
    torch.manual_seed(0)
    op = build_cnn_op(name, 4, stride, True)
    x = torch.randn(3, 4, 8, 10, requires_grad=True)
    op(x).pow(3).sum().backward()
    assert x.grad is not None
    assert bool(x.grad.any()) is (name != NONE)
    assert all(p.grad is not None and p.grad.any() for p in op.parameters())


@every_op
@pytest.mark.parametrize("stride", [1, 2])
def test_eval_is_repeatable_and_clips_do_not_touch_each_other(name: str, stride: int) -> None:
    op = build_cnn_op(name, 4, stride, True).eval()
    x = torch.randn(3, 4, 7, 9)
    y = op(x)
    assert torch.equal(op(x), y)
    torch.testing.assert_close(op(x[1:2]), y[1:2])


def test_none_gives_zeros_and_skip_gives_its_input() -> None:
    x = torch.randn(2, 4, 7, 9)
    assert not build_cnn_op("none", 4, 2, True)(x).any()
    assert torch.equal(build_cnn_op("skip_connect", 4, 1, True)(x), x)


def test_the_average_counts_real_pixels_only() -> None:
    x = torch.arange(1.0, 10.0).reshape(1, 1, 3, 3)
    corner, edge, middle = (1 + 2 + 4 + 5) / 4, (1 + 2 + 3 + 4 + 5 + 6) / 6, 5.0
    y = build_cnn_op("avg_pool_3x3", 1, 1, True)(x)[0, 0]
    assert [y[0, 0].item(), y[0, 1].item(), y[1, 1].item()] == [corner, edge, middle]
    torch.testing.assert_close(build_cnn_op("avg_pool_3x3", 1, 1, True)(torch.ones(1, 1, 4, 5)), torch.ones(1, 1, 4, 5))


def test_the_maximum_of_negative_pixels_is_not_the_padding() -> None:
    x = -torch.arange(1.0, 10.0).reshape(1, 1, 3, 3)
    y = build_cnn_op("max_pool_3x3", 1, 2, True)(x)
    assert y.flatten().tolist() == [-1, -2, -4, -5]


def unit_reduction() -> FactorizedReduce:
    """Copies its one input channel into both halves; BN in eval mode is the identity but for its epsilon."""
    op = FactorizedReduce(1, 2, affine=False).eval()
    op.bn.eps = 0.0
    for conv in (op.conv_1, op.conv_2):
        nn.init.ones_(conv.weight)
    return op


def test_the_second_half_of_a_reduction_is_one_pixel_further_right_and_down() -> None:
    x = torch.tensor([[1.0, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12], [13, 14, 15, 16]])
    y = unit_reduction()(x[None, None])[0]
    assert y.tolist() == [[[1, 3], [9, 11]], [[6, 8], [14, 16]]]


def test_an_odd_size_is_padded_with_zeros_where_the_shift_leaves_it() -> None:
    x = torch.tensor([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]])
    y = unit_reduction()(x[None, None])[0]
    assert y.tolist() == [[[1, 3], [7, 9]], [[5, 0], [0, 0]]]


def test_a_reduction_begins_with_a_relu_and_splits_odd_channels() -> None:
    assert unit_reduction()(-torch.ones(1, 1, 4, 4)).abs().sum() == 0
    assert FactorizedReduce(3, 5, affine=True)(torch.randn(2, 3, 5, 6)).shape == (2, 5, 3, 3)


@pytest.mark.parametrize(
    "name,c,count",
    [
        # depthwise k*k*C, pointwise C*C, affine BN 2*C; a separable convolution is applied twice
        ("sep_conv_3x3", 6, 2 * (9 * 6 + 36 + 12)),
        ("sep_conv_5x5", 6, 2 * (25 * 6 + 36 + 12)),
        ("dil_conv_3x3", 6, 9 * 6 + 36 + 12),
        ("dil_conv_5x5", 6, 25 * 6 + 36 + 12),
        ("skip_connect", 6, 2 * 6 * 3 + 12),
        ("max_pool_3x3", 6, 0),
        ("none", 6, 0),
    ],
)
def test_parameters_are_those_of_the_formula(name: str, c: int, count: int) -> None:
    assert sum(p.numel() for p in build_cnn_op(name, c, 2, True).parameters()) == count


@pytest.mark.parametrize(
    "name,reach", [("sep_conv_3x3", 5), ("sep_conv_5x5", 9), ("dil_conv_3x3", 5), ("dil_conv_5x5", 9)]
)
def test_one_pixel_reaches_as_far_as_kernel_and_dilation_say(name: str, reach: int) -> None:
    op = build_cnn_op(name, 1, 1, False).eval()
    for module in op.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.ones_(module.weight)
    x = torch.zeros(1, 1, 15, 15)
    x[0, 0, 7, 7] = 1.0
    touched = op(x)[0, 0].nonzero()
    assert (touched.max(0).values - touched.min(0).values + 1).tolist() == [reach, reach]
    assert touched.float().mean(0).tolist() == [7, 7]


def test_an_unknown_operation_suggests_the_nearest() -> None:
    with pytest.raises(SettingsError, match=r"unknown operation 'sep_conv_3x' \(did you mean 'sep_conv_3x3'\?\)"):
        build_cnn_op("sep_conv_3x", 4, 1, True)
