"""No step of a one-shot search waits for the device: no value is read back, and nothing is copied to it.

The device is torch's `meta`, which has shapes and no values: what reads a value fails there.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.overrides import TorchFunctionMode

from audionas.kernels import native
from audionas.models import Supernet, build_supernet, source_terms
from audionas.models.mixing import Mixing, PartialMixing, SigmoidMixing
from audionas.models.supernet import constant, frozen_statistics
from audionas.search.unrolled import WeightStep, unrolled_gradient
from audionas.search.zero_one_loss import zero_one_loss
from audionas.spaces import CnnCellSpace
from tests.training.test_no_host_sync import Constants, Copies

SPACE = CnnCellSpace(
    nodes=2,
    ops=(
        "none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3",
        "dil_conv_5x5",
    ),
    macro={"n_cells": 2, "channels": 4, "reduction_at": ["1/2"]},
)  # fmt: skip


@pytest.fixture(autouse=True, params=["apart", "together"])
def _torch_alone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No compiled kernels; convolutions of each edge by itself, as on a CPU, or of all, as on a card."""
    monkeypatch.setattr(native, "library", lambda: None)
    monkeypatch.setattr(source_terms, "takes_joint", lambda *_: request.param == "together")


class Lists(TorchFunctionMode):
    """Notes every place that is read by a list of Python, which torch copies to the device."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is Tensor.__getitem__:
            keys = args[1] if isinstance(args[1], tuple) else (args[1],)
            self.found += [str(key) for key in keys if isinstance(key, list)]
        return func(*args, **(kwargs or {}))


class Device:
    """A supernet there, its optimisers and a batch with lengths."""

    def __init__(self, mixing: Mixing | None) -> None:
        self.supernet: Supernet = build_supernet(SPACE, (1, 12, 14), 3, mixing).to("meta").train()
        self.alphas, self.weights = self.supernet.arch_parameters(), self.supernet.network_weights()
        self.sgd = torch.optim.SGD(self.weights, 0.1, momentum=0.9, weight_decay=1e-3)
        with torch.device("meta"):
            self.batch = (torch.empty(4, 1, 12, 14), torch.zeros(4, dtype=torch.long), torch.ones(4, dtype=torch.long))

    def loss(self) -> Tensor:
        x, targets, lengths = self.batch
        return cross_entropy(self.supernet(x, lengths), targets)


def first_order(of: Device) -> None:
    with constant(of.weights):
        (of.loss() + zero_one_loss(of.alphas)).backward()  # type: ignore[no-untyped-call]
    with constant(of.alphas):
        of.loss().backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(of.weights, 5.0)
    of.sgd.step()


def second_order(of: Device) -> None:
    with frozen_statistics(of.supernet):
        unrolled_gradient(of.loss, of.loss, of.alphas, of.weights, WeightStep(of.sgd))


@pytest.mark.parametrize("mixing", [None, SigmoidMixing(), PartialMixing(2)], ids=["darts", "fair", "pc"])
def test_a_step_of_either_order_copies_nothing(mixing: Mixing | None) -> None:
    device = Device(mixing)
    first_order(device)  # tables of places are made in the first step
    with Copies() as copies, Constants() as constants, Lists() as lists:
        first_order(device)
        second_order(device)
    assert copies.found + constants.found + lists.found == []


def test_a_copy_and_a_read_would_be_found() -> None:
    device = Device(None)
    with Lists() as lists, Copies() as copies:
        device.alphas[0][[0, 1]]
        device.alphas[0][torch.tensor([0, 1])]
    assert (len(lists.found), len(copies.found)) == (1, 1)
    with pytest.raises((RuntimeError, NotImplementedError)):
        float(device.loss().detach())
