"""What a supernet does on a card, done on a CPU: the same numbers in float64, fewer operations, less kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.utils._python_dispatch import TorchDispatchMode

from audionas.kernels import native
from audionas.models import Supernet, build_supernet, source_terms
from audionas.models.mixing import Mixing, PartialMixing
from audionas.spaces import CnnCellSpace

SPACE = CnnCellSpace(
    nodes=3,
    ops=(
        "none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3",
        "dil_conv_5x5",
    ),
    macro={"n_cells": 3, "channels": 4, "reduction_at": ["1/3", "2/3"]},
)  # fmt: skip


@pytest.fixture(autouse=True)
def _torch_alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(native, "library", lambda: None)
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def supernet(mixing: Mixing | None = None) -> Supernet:
    made: Supernet = build_supernet(SPACE, (1, 13, 14), 3, mixing)
    for alphas in made.arch_parameters():
        alphas.data.normal_()
    return made


def on_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_terms, "takes_joint", lambda *_: True)


def step(network: Supernet, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, list[Tensor | None]]:
    """A loss and the gradients of everything."""
    loss = cross_entropy(network(batch[0]), batch[1])
    return loss, list(torch.autograd.grad(loss, list(network.parameters()), allow_unused=True))


@pytest.mark.parametrize("mixing", [None, PartialMixing(2)], ids=["darts", "pc_darts"])
def test_losses_gradients_and_statistics_are_those_of_each_edge(
    mixing: Mixing | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, batch = supernet(mixing), (torch.randn(5, 1, 13, 14), torch.randint(3, (5,)))
    start = {name: each.clone() for name, each in network.state_dict().items()}
    loss, gradients = step(network, batch)
    statistics = {name: each.clone() for name, each in network.named_buffers()}
    network.load_state_dict(start)
    on_card(monkeypatch)
    found, of_found = step(network, batch)
    torch.testing.assert_close(found, loss, rtol=1e-10, atol=1e-10)
    for one, other in zip(of_found, gradients, strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            torch.testing.assert_close(one, other, rtol=1e-7, atol=1e-10)
    for name, each in network.named_buffers():
        torch.testing.assert_close(each, statistics[name], rtol=1e-8, atol=1e-10)


class Calls(TorchDispatchMode):
    """Counts operations that compute: each is one launch of a card at least."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        is_backward = func.overloadpacket is torch.ops.aten.convolution_backward
        self.found[str(func.overloadpacket)] += sum(args[-1]) if is_backward else not func.is_view
        return func(*args, **(kwargs or {}))


def test_a_step_has_few_convolutions(monkeypatch: pytest.MonkeyPatch) -> None:
    network, batch = supernet(), (torch.randn(2, 1, 13, 14), torch.randint(3, (2,)))
    counts = []
    for _ in range(2):
        with Calls() as calls:
            step(network, batch)
        counts.append(sum(n for name, n in calls.found.items() if "convolution" in name))
        on_card(monkeypatch)
    assert counts[1] < 0.55 * counts[0]


def test_two_thirds_are_kept_for_the_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    network, batch = supernet(), (torch.randn(8, 1, 13, 14), torch.randint(3, (8,)))
    counts = []
    for _ in range(2):
        kept: dict[int, int] = {}

        def keep(each: Tensor, kept: dict[int, int] = kept) -> Tensor:
            kept[each.untyped_storage().data_ptr()] = each.untyped_storage().nbytes()
            return each

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda each: each):
            network(batch[0])
        counts.append(sum(kept.values()))
        on_card(monkeypatch)
    assert counts[1] < 0.65 * counts[0]
