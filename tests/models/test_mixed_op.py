"""A mixed operation: on all channels, on a part of them as the release of PC-DARTS has it, and of one path alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from audionas.models.mixed_op import MixedOp, shuffled

NAMES = ("none", "max_pool_3x3", "skip_connect", "sep_conv_3x3")


@pytest.fixture(autouse=True)
def _double_precision() -> Iterator[None]:
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def release_shuffle(x: Tensor, groups: int) -> Tensor:
    """`channel_shuffle` of the release of PC-DARTS, channel by channel."""
    n = x.shape[1] // groups
    order = [group * n + place for place in range(n) for group in range(groups)]
    return torch.stack([x[:, channel] for channel in order], dim=1)


@pytest.mark.parametrize("stride", [1, 2])
def test_a_fourth_of_the_channels_is_mixed_and_the_rest_passes_by_as_in_the_release(stride: int) -> None:
    op, x = MixedOp(NAMES, 8, stride, partial=4), torch.randn(3, 8, 6, 10)
    weights = torch.tensor([0.4, 0.1, 0.2, 0.3])
    own = x[:, :2]
    mixed = sum(weights[k] * op.ops[k](own) for k in (1, 2, 3))
    rest = x[:, 2:] if stride == 1 else nn.MaxPool2d(2, 2)(x[:, 2:])
    expected = release_shuffle(torch.cat([mixed, rest], dim=1), 4)
    torch.testing.assert_close(op(x, weights), expected)
    torch.testing.assert_close(
        op(x, torch.eye(4)[3], [False, False, False, True]), release_shuffle(torch.cat([op.ops[3](own), rest], 1), 4)
    )


def test_operations_of_a_fourth_of_the_channels_have_so_many_fewer_weights() -> None:
    # separable 3x3, twice: 2 (9 c + c c) weights
    sizes = [sum(p.numel() for p in MixedOp(NAMES, 16, 1, partial).ops[3].parameters()) for partial in (1, 4)]
    assert sizes == [2 * (9 * 16 + 16 * 16), 2 * (9 * 4 + 4 * 4)]


@pytest.mark.parametrize("channels,used", [(6, 3), (8, 4), (4, 2), (7, 1), (2, 1), (1, 1)])
def test_a_part_that_leaves_no_two_whole_channels_becomes_the_next_that_does(channels: int, used: int) -> None:
    op = MixedOp(NAMES, channels, 1, partial=4)
    assert op.partial == used
    assert op(torch.randn(2, channels, 5, 5), torch.ones(4)).shape == (2, channels, 5, 5)


def test_odd_sizes_end_as_those_of_the_operations_do() -> None:
    assert MixedOp(NAMES, 8, 2, partial=4)(torch.randn(2, 8, 5, 7), torch.ones(4)).shape == (2, 8, 3, 4)


def test_shuffling_moves_a_channel_to_its_place_in_the_next_group() -> None:
    x = torch.arange(6.0).reshape(1, 6, 1, 1)
    assert shuffled(x, 2).flatten().tolist() == [0, 3, 1, 4, 2, 5]


def test_only_the_active_operation_is_computed() -> None:
    op, x, calls = MixedOp(NAMES, 4, 2), torch.randn(2, 4, 6, 6), []
    for k, each in enumerate(op.ops):
        each.register_forward_hook(lambda *_, k=k: calls.append(k))
    found = op(x, torch.tensor([0.0, 0.0, 0.0, 1.0]), [False, False, False, True])
    assert calls == [3]
    torch.testing.assert_close(found, op.ops[3](x))
    alone = op(x, torch.tensor([1.0, 0.0, 0.0, 0.0]), [True, False, False, False])
    assert alone.shape == (2, 4, 3, 3)
    assert not alone.any(), "`none` gives zeros"
