"""Separable and dilated convolutions in training: by the kernels as in torch, outputs, gradients and statistics."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Iterator

import pytest
import torch
from torch import nn

from audionas.kernels import library, use_kernels
from audionas.ops import build_cnn_op
from audionas.ops.identity import FactorizedReduce

NAMES = ("sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5", "dil_conv_1x5", "dil_conv_5x1")


@pytest.fixture(autouse=True)
def _compiled_float64() -> Iterator[None]:
    use_kernels(None, print)
    if library() is None:
        pytest.skip("no compiler")
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)
    use_kernels("auto", print)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("name", NAMES)
def test_training_by_the_kernels_is_training_in_torch(name: str, stride: int, causal: bool) -> None:
    op = build_cnn_op(name, 5, stride, True, causal)
    twin, x = copy.deepcopy(op), torch.randn(3, 5, 11, 14)
    found, expected = [], []
    for path, module, values in (("compiled", op, found), ("torch", twin, expected)):
        use_kernels(path, print)
        given = x.clone().requires_grad_()
        y = module(given)
        (y * torch.linspace(-1, 1, y.numel()).view_as(y)).sum().backward()
        values += [y, given.grad, *(p.grad for p in module.parameters()), *module.buffers()]
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


def test_in_eval_mode_the_layers_themselves_are_run() -> None:
    op, calls = build_cnn_op("sep_conv_3x3", 4, 1, True).eval(), []
    for layer in op:
        layer.register_forward_hook(lambda *_: calls.append(1))
    op(torch.randn(2, 4, 6, 6))
    assert len(calls) == 8


CHANNELS_LAST = """
import torch
from audionas.ops.identity import FactorizedReduce
torch.manual_seed(0)
layer = FactorizedReduce(12, 12, False)
for _ in range(40):
    x = torch.randn(4, 12, 140, 140).contiguous(memory_format=torch.channels_last).requires_grad_()
    layer(x).sum().backward()
print("whole")
"""


@pytest.mark.slow
def test_a_reduction_of_channels_last_input_leaves_memory_whole() -> None:
    # torch 2.13 on a CPU corrupts its heap in the backward pass of a 1x1 convolution with stride 2 on such input
    ended = subprocess.run([sys.executable, "-c", CHANNELS_LAST], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "whole\n"), ended.stderr


@pytest.mark.parametrize("size", [(8, 10), (7, 9)])
def test_a_reduction_is_two_strided_convolutions(size: tuple[int, int]) -> None:
    layer, x = FactorizedReduce(4, 6, False), torch.randn(2, 4, *size)
    padded = nn.functional.pad(x.relu(), (0, size[1] % 2, 0, size[0] % 2))
    halves = [
        nn.functional.conv2d(part, conv.weight, stride=2)
        for part, conv in ((x.relu(), layer.conv_1), (padded[:, :, 1:, 1:], layer.conv_2))
    ]
    expected = nn.functional.batch_norm(torch.cat(halves, dim=1), None, None, training=True)
    torch.testing.assert_close(layer(x), expected)
    last = layer(x.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(last, expected)
