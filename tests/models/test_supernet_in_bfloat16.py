"""A supernet in mixed precision: products in bfloat16, statistics of batch norm in float32, close to float32 alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from audionas.kernels import native
from audionas.models import Supernet, build_supernet, source_terms
from audionas.models.mixed_cell import MixedCell
from audionas.models.mixing import Mixing, PartialMixing
from audionas.spaces import CnnCellSpace, SearchSpace, load_search_space

OPS = (
    "none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3",
    "dil_conv_5x5",
)  # fmt: skip
CELLS = CnnCellSpace(nodes=3, ops=OPS, macro={"n_cells": 3, "channels": 4, "reduction_at": ["1/3", "2/3"]})
EPSILON = 2.0**-8  # of a bfloat16


@pytest.fixture(params=["compiled", "torch", "together"], autouse=True)
def _path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param != "compiled":
        monkeypatch.setattr(native, "library", lambda: None)
    if request.param == "together":
        monkeypatch.setattr(source_terms, "takes_joint", lambda *_: True)


def passed(network: Supernet, x: Tensor, targets: Tensor, *, mixed: bool, recomputes: bool = False) -> list[Tensor]:
    """Loss and gradients of the alphas."""
    network.recomputes = recomputes
    with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
        logits = network(x)
    loss = cross_entropy(logits.float(), targets)
    return [loss, *torch.autograd.grad(loss, network.arch_parameters(), allow_unused=True)]


def apart(found: list[Tensor], expected: list[Tensor]) -> float:
    """How far gradients are from others, as a share of their length."""
    one, other = (
        torch.cat([each.flatten() for each in values[1:] if each is not None]) for values in (found, expected)
    )
    return float(torch.linalg.vector_norm(one - other) / torch.linalg.vector_norm(other))


@pytest.mark.parametrize(
    ("space", "mixing"), [(CELLS, None), (CELLS, PartialMixing(2)), (load_search_space("darts_rnn"), None)]
)
def test_loss_gradients_and_statistics_are_those_of_float32(space: SearchSpace, mixing: Mixing | None) -> None:
    torch.manual_seed(0)
    network = build_supernet(space, (1, 13, 14), 3, mixing)
    x, targets = torch.randn(16, 1, 13, 14), torch.arange(16) % 3
    start = {name: value.clone() for name, value in network.state_dict().items()}
    expected = passed(network, x, targets, mixed=False)
    statistics = [buffer.clone() for buffer in network.buffers()]
    network.load_state_dict(start)
    found = passed(network, x, targets, mixed=True)
    assert float((found[0] - expected[0]).detach().abs()) < 4 * EPSILON
    assert apart(found, expected) < 0.2
    for one, other in zip(network.buffers(), statistics, strict=True):
        assert one.dtype == other.dtype  # float32, not rounded to 8 bits
        torch.testing.assert_close(one, other, rtol=0.05, atol=0.02)


def test_what_is_computed_again_is_the_same() -> None:
    torch.manual_seed(0)
    network = build_supernet(CELLS, (1, 13, 14), 3)
    x, targets = torch.randn(16, 1, 13, 14), torch.arange(16) % 3
    expected = passed(network, x, targets, mixed=True)
    found = passed(network, x, targets, mixed=True, recomputes=True)
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


def test_gradients_are_no_further_off_than_those_of_each_edge_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for seed in range(3):
        torch.manual_seed(seed)
        network = build_supernet(CELLS, (1, 13, 14), 3)
        x, targets = torch.randn(16, 1, 13, 14), torch.arange(16) % 3
        expected = passed(network, x, targets, mixed=False)
        ours = apart(passed(network, x, targets, mixed=True), expected)
        with monkeypatch.context() as patched:
            patched.setattr(MixedCell, "_normalises_by_batch", lambda _: False)  # plain operations, as in the paper
            found.append((ours, apart(passed(network, x, targets, mixed=True), expected)))
    assert sum(ours for ours, _ in found) < 1.25 * sum(plain for _, plain in found), found
