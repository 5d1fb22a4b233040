"""What is computed again in the backward pass gives the same numbers, and moves no statistic twice."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from audionas.kernels import native
from audionas.models import Supernet, build_supernet
from audionas.models.mixing import BinaryGates, GumbelMixing, Mixing, PartialMixing, SigmoidMixing
from audionas.models.recompute import recomputed
from audionas.models.supernet import batch_statistics, frozen_statistics
from audionas.spaces import CnnCellSpace, SearchSpace, load_search_space

OPS = ("none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "dil_conv_5x5")
CELLS = CnnCellSpace(nodes=2, ops=OPS, macro={"n_cells": 3, "channels": 4, "reduction_at": ["1/3", "2/3"]})
CASES = [
    (CELLS, None),
    (CELLS, SigmoidMixing()),
    (CELLS, PartialMixing(2)),
    (CELLS, GumbelMixing()),
    (CELLS, BinaryGates()),
    (load_search_space("darts_rnn"), None),
    (load_search_space("darts_rnn"), GumbelMixing()),
]


def passed(space: SearchSpace, mixing: Mixing | None, *, recomputes: bool) -> tuple[Supernet, list[Tensor | None]]:
    """A supernet after one pass, and logits and gradients."""
    torch.manual_seed(0)
    network = build_supernet(space, (1, 11, 14), 3, mixing)
    network.recomputes = recomputes
    if isinstance(mixing, GumbelMixing):
        mixing.draw_from(5)
    if isinstance(mixing, BinaryGates):
        mixing.draw_from(5, pairs=True)
    lengths = torch.tensor([14, 9, 3, 11])
    logits = network(torch.randn(4, 1, 11, 14), lengths)
    logits.square().sum().backward()
    return network, [logits, *(parameter.grad for parameter in network.parameters())]


def same(found: Sequence[Tensor | None], expected: Sequence[Tensor | None]) -> bool:
    return len(found) == len(expected) and all(
        (a is None and b is None) or (a is not None and b is not None and torch.equal(a, b))
        for a, b in zip(found, expected, strict=True)
    )


@pytest.mark.parametrize("path", ["compiled", "torch"])
@pytest.mark.parametrize(("space", "mixing"), CASES)
def test_the_numbers_are_the_same_to_the_bit(
    space: SearchSpace, mixing: Mixing | None, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if path == "torch":
        monkeypatch.setattr(native, "library", lambda: None)
    plain, expected = passed(space, mixing, recomputes=False)
    network, found = passed(space, mixing, recomputes=True)
    assert same(found, expected)
    assert same(list(network.buffers()), list(plain.buffers()))


def saved_in(network: Supernet) -> int:
    kept: list[Tensor] = []

    def note(saved: Tensor) -> Tensor:
        kept.append(saved)
        return saved

    with torch.autograd.graph.saved_tensors_hooks(note, lambda saved: saved):
        network(torch.randn(2, 1, 11, 14)).sum()
    return len(kept)


@pytest.mark.parametrize(("space", "mixing"), CASES[:1] + CASES[-2:-1])
def test_within_a_part_nothing_is_kept(space: SearchSpace, mixing: Mixing | None) -> None:
    network = build_supernet(space, (1, 11, 14), 3, mixing)
    whole = saved_in(network)
    network.recomputes = True
    assert saved_in(network) < 0.2 * whole


def test_scores_and_frozen_statistics_are_as_without() -> None:
    network = build_supernet(CELLS, (1, 11, 14), 3)
    network.recomputes = True
    before = [buffer.clone() for buffer in network.buffers()]
    with batch_statistics(network):
        network(torch.randn(4, 1, 11, 14)).sum().backward()
    with frozen_statistics(network):
        network(torch.randn(4, 1, 11, 14)).sum().backward()
    assert same(list(network.buffers()), before)


def test_work_is_done_twice_and_its_buffers_move_once() -> None:
    norm, calls = nn.BatchNorm1d(3), []

    def work(x: Tensor) -> Tensor:
        calls.append(1)
        return norm(x).relu().square()

    x = torch.randn(5, 3, requires_grad=True)
    recomputed(work, x, of=norm).sum().backward()
    assert len(calls) == 2
    assert int(norm.num_batches_tracked) == 1  # type: ignore[arg-type]
    torch.testing.assert_close(norm.running_mean, 0.1 * x.mean(0).detach())
