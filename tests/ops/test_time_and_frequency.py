"""Operations that treat time and frequency apart, their numbers written out; and causal ones."""

from __future__ import annotations

from math import ceil

import pytest
import torch
from torch import nn

from audionas.ops import CNN_OP_SUMMARIES, CNN_OPS, POOLS, FactorizedReduce, build_cnn_op
from audionas.ops.gating import SqueezeExcitation
from audionas.ops.padding import PaddedConv2d

every_op = pytest.mark.parametrize("name", CNN_OPS)


def all_ones(op: nn.Module) -> nn.Module:
    for module in op.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.ones_(module.weight)
    return op.eval()


def touched_by_one_pixel(name: str, causal: bool = False) -> torch.Tensor:
    """Where the outputs are that a pixel at feature 15, frame 15 of 31 x 31 changes: (features, frames) first, last."""
    x = torch.zeros(1, 1, 31, 31)
    x[0, 0, 15, 15] = 1.0
    places = all_ones(build_cnn_op(name, 1, 1, False, causal))(x)[0, 0].nonzero()
    return torch.stack([places.min(0).values, places.max(0).values]) - 15


@pytest.mark.parametrize(
    "name,features,frames",
    [
        # of k taps the kernel reads (k-1)//2 before and k//2 after; so a pixel reaches as far the other way
        ("conv_1x5", (0, 0), (-2, 2)),
        ("conv_5x1", (-2, 2), (0, 0)),
        ("conv_1x9", (0, 0), (-4, 4)),
        ("conv_9x1", (-4, 4), (0, 0)),
        ("conv_2x8", (-1, 0), (-4, 3)),
        ("conv_10x2", (-5, 4), (-1, 0)),
        ("dil_conv_1x5", (0, 0), (-4, 4)),
        ("dil_conv_5x1", (-4, 4), (0, 0)),
        ("max_pool_1x3", (0, 0), (-1, 1)),
        ("max_pool_3x1", (-1, 1), (0, 0)),
        ("avg_pool_1x3", (0, 0), (-1, 1)),
        ("avg_pool_3x1", (-1, 1), (0, 0)),
    ],
)
def test_a_kernel_is_features_by_frames(name: str, features: tuple[int, int], frames: tuple[int, int]) -> None:
    assert touched_by_one_pixel(name).T.tolist() == [list(features), list(frames)]


@pytest.mark.parametrize(
    "name,frames",
    [("conv_1x5", 4), ("conv_2x8", 7), ("conv_10x2", 1), ("dil_conv_1x5", 8), ("max_pool_1x3", 2), ("conv_9x1", 0)],
)
def test_a_causal_kernel_keeps_its_width_and_reads_backwards_only(name: str, frames: int) -> None:
    assert touched_by_one_pixel(name, causal=True)[:, 1].tolist() == [0, frames]


@pytest.mark.parametrize(
    "name,c,count",
    [
        # plain: H*W*C*C and BN 2C; dilated: depthwise H*W*C, pointwise C*C, BN 2C
        ("conv_1x5", 6, 5 * 36 + 12),
        ("conv_5x1", 6, 5 * 36 + 12),
        ("conv_1x9", 6, 9 * 36 + 12),
        ("conv_9x1", 6, 9 * 36 + 12),
        ("conv_2x8", 6, 16 * 36 + 12),
        ("conv_10x2", 6, 20 * 36 + 12),
        ("dil_conv_1x5", 6, 5 * 6 + 36 + 12),
        ("dil_conv_5x1", 6, 5 * 6 + 36 + 12),
        ("max_pool_1x3", 6, 0),
        ("avg_pool_3x1", 6, 0),
        # a convolution to 2C and its BN
        ("glu_3x3", 6, 9 * 6 * 12 + 2 * 12),
        # C -> h -> C with biases, h = C // 4 but at least 2
        ("squeeze_excitation", 6, (6 * 2 + 2) + (2 * 6 + 6)),
        ("squeeze_excitation", 16, (16 * 4 + 4) + (4 * 16 + 16)),
    ],
)
@pytest.mark.parametrize("causal", [False, True])
def test_parameters_are_those_of_the_formula(name: str, c: int, count: int, causal: bool) -> None:
    assert sum(p.numel() for p in build_cnn_op(name, c, 1, True, causal).parameters()) == count


def test_every_operation_has_a_line_in_the_list() -> None:
    assert list(CNN_OP_SUMMARIES) == list(CNN_OPS)


def test_pools_of_either_axis_count_as_pools_of_the_supernet() -> None:
    assert {"max_pool_1x3", "avg_pool_3x1", "max_pool_3x3"} <= set(POOLS)


@pytest.mark.parametrize("causal", [False, True])
def test_an_even_kernel_has_the_numbers_of_a_convolution_written_out(causal: bool) -> None:
    conv = PaddedConv2d(1, 1, (2, 3), causal=causal)
    nn.init.ones_(conv.weight)
    x = torch.tensor([[1.0, 2.0, 4.0], [8.0, 16.0, 32.0]])
    # this row and the next, of zeros after the last; frames t-1, t, t+1, or t-2, t-1, t
    rows = [[1 + 8, 2 + 16, 4 + 32], [8, 16, 32]]
    reach = (-2, 0) if causal else (-1, 1)
    expected = [
        [float(sum(row[s] for s in range(t + reach[0], t + reach[1] + 1) if 0 <= s < 3)) for t in range(3)]
        for row in rows
    ]
    assert conv(x[None, None])[0, 0].tolist() == expected


@every_op
@pytest.mark.parametrize("stride", [1, 2])
def test_later_frames_change_nothing_earlier_in_a_causal_operation(name: str, stride: int) -> None:
    torch.manual_seed(1)
    op = build_cnn_op(name, 4, stride, True, True).eval()
    x = torch.randn(2, 4, 9, 13)
    y = op(x)
    assert tuple(y.shape) == (2, 4, ceil(9 / stride), ceil(13 / stride))
    for frame in range(1, 13):
        changed = x.clone()
        changed[..., frame:] = torch.randn(2, 4, 9, 13 - frame)
        unchanged = ceil(frame / stride)  # output frames j with stride * j < frame
        torch.testing.assert_close(op(changed)[..., :unchanged], y[..., :unchanged])


@pytest.mark.parametrize("name", ["conv_1x5", "max_pool_3x3", "sep_conv_3x3", "squeeze_excitation"])
def test_a_centred_operation_does_read_later_frames(name: str) -> None:
    torch.manual_seed(1)
    op = build_cnn_op(name, 4, 1, True).eval()
    x = torch.randn(2, 4, 9, 13)
    changed = x.clone()
    changed[..., 7:] = torch.randn(2, 4, 9, 6)
    assert not torch.allclose(op(changed)[..., :7], op(x)[..., :7])


def test_a_causal_mean_counts_the_real_frames_so_far() -> None:
    x = torch.tensor([[1.0, 5.0, 9.0, 10.0]])[None, None]
    y = build_cnn_op("avg_pool_1x3", 1, 1, True, True)(x)
    torch.testing.assert_close(y, torch.tensor([[1.0, 6 / 2, 15 / 3, 24 / 3]])[None, None])


def test_a_causal_maximum_of_negative_frames_is_not_the_padding() -> None:
    x = torch.tensor([[-3.0, -5.0, -4.0, -9.0]])[None, None]
    assert build_cnn_op("max_pool_1x3", 1, 1, True, True)(x).flatten().tolist() == [-3, -3, -3, -4]


def test_the_shifted_half_of_a_causal_reduction_is_one_frame_earlier() -> None:
    op = FactorizedReduce(1, 2, affine=False, causal=True)
    all_ones(op)
    op.bn.eps = 0.0
    x = torch.tensor([[1.0, 2, 3, 4, 5], [6, 7, 8, 9, 10]])
    assert op(x[None, None])[0].tolist() == [[[1, 3, 5]], [[0, 7, 9]]]


def test_a_gated_linear_unit_is_one_half_times_the_sigmoid_of_the_other() -> None:
    torch.manual_seed(0)
    op = build_cnn_op("glu_3x3", 3, 1, True).eval()
    x = torch.randn(2, 3, 5, 7)
    conv, norm = op[0], op[1]  # type: ignore[index]
    both = nn.functional.conv2d(x, conv.weight, padding=1) / (1 + norm.eps) ** 0.5
    torch.testing.assert_close(op(x), both[:, :3] / (1 + torch.exp(-both[:, 3:])))


@pytest.mark.parametrize("causal", [False, True])
def test_squeeze_excitation_scales_by_gates_from_the_means(causal: bool) -> None:
    torch.manual_seed(0)
    op = SqueezeExcitation(8, 1, True, causal)
    x = torch.rand(2, 8, 5, 6)
    first, second = op.gate[0], op.gate[2]

    def gates(means: torch.Tensor) -> torch.Tensor:
        hidden = torch.relu(means @ first.weight[:, :, 0, 0].T + first.bias)
        return torch.sigmoid(hidden @ second.weight[:, :, 0, 0].T + second.bias)

    for t in range(6):
        means = x[..., : t + 1].mean(dim=(2, 3)) if causal else x.mean(dim=(2, 3))
        torch.testing.assert_close(op(x)[..., t], x[..., t] * gates(means)[:, :, None])
