"""The supernet's fast paths, compiled and in torch, are the plain supernet: outputs, gradients, statistics, steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from audionas.kernels import kernel_path, library, use_kernels
from audionas.models import build_supernet
from audionas.models.cnn_supernet import CnnSupernet, batch_statistics
from audionas.models.mixed_cell import MixedCell
from audionas.models.mixing import BinaryGates, GumbelMixing, Mixing, PartialMixing, PathMixing, SigmoidMixing
from audionas.models.supernet import constant
from audionas.spaces import CnnCellSpace, load_search_space
from tests.reference.darts_supernet import OPS, DartsSupernet

SPACE = CnnCellSpace(nodes=3, ops=OPS, macro={"n_cells": 3, "channels": 4, "reduction_at": ["1/3", "2/3"]})
SHAPES = [(3, 11, 14), (2, 20, 9), (1, 13, 13)]  # batch, features, frames: odd sizes, one clip
CLASSES = 3


@pytest.fixture(params=["compiled", "torch"], autouse=True)
def _path(request: pytest.FixtureRequest) -> Iterator[None]:
    use_kernels(None, print)
    if request.param == "compiled" and library() is None:
        pytest.skip("no compiler")
    use_kernels(request.param, print)
    yield
    use_kernels("auto", print)


@pytest.fixture
def double_precision() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def supernet(features: int, frames: int, mixing: Mixing | None = None, space: CnnCellSpace = SPACE) -> CnnSupernet:
    torch.manual_seed(features)
    found = build_supernet(space, (1, features, frames), CLASSES, mixing)
    assert isinstance(found, CnnSupernet)
    for alpha in found.arch_parameters():
        alpha.data.normal_()
    return found


def plain_like(of: CnnSupernet) -> DartsSupernet:
    """The plain supernet with the same weights and alphas."""
    found = DartsSupernet(1, CLASSES, n_cells=3, channels=4, nodes=3)
    with torch.no_grad():
        for own, given in zip(found.parameters(), ordered(of), strict=True):
            own.copy_(given)
    return found


def ordered(of: CnnSupernet) -> list[nn.Parameter]:
    """Weights, then alphas: the order of the plain supernet."""
    return [*of.network_weights(), *of.arch_parameters()]


def clips(batch: int, features: int, frames: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(batch)
    return torch.randn(batch, 1, features, frames, generator=generator), torch.arange(batch) % CLASSES


def gradients_of(network: nn.Module, parameters: list[nn.Parameter], x: Tensor, y: Tensor) -> list[Tensor]:
    found = torch.autograd.grad(functional.cross_entropy(network(x), y), parameters, allow_unused=True)
    return [torch.zeros_like(p) if g is None else g for g, p in zip(found, parameters, strict=True)]


def far_apart(first: list[Tensor], second: list[Tensor]) -> float:
    """The largest difference, over the largest value of all."""
    largest = max(float(each.abs().max()) for each in second)
    return max(float((a - b).abs().max()) for a, b in zip(first, second, strict=True)) / largest


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("shape", SHAPES)
def test_outputs_gradients_and_running_statistics_are_those_of_the_plain_supernet(shape: tuple[int, int, int]) -> None:
    fast = supernet(*shape[1:])
    plain = plain_like(fast)
    x, y = clips(*shape)
    torch.testing.assert_close(fast(x), plain(x), rtol=1e-10, atol=1e-10)
    found = gradients_of(fast, ordered(fast), x, y)
    assert far_apart(found, gradients_of(plain, list(plain.parameters()), x, y)) < 1e-10
    for own, given in zip(fast.buffers(), plain.buffers(), strict=True):
        torch.testing.assert_close(own, given, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("shape", SHAPES[:2])
def test_float32_is_near_float64(shape: tuple[int, int, int]) -> None:
    fast = supernet(*shape[1:])
    plain = plain_like(fast).double()
    x, y = clips(*shape)
    found = [each.double() for each in gradients_of(fast, ordered(fast), x, y)]
    assert far_apart(found, gradients_of(plain, list(plain.parameters()), x.double(), y)) < 1e-3


def three_steps(network: nn.Module, alphas: list[nn.Parameter], weights: list[nn.Parameter], *, prune: bool) -> None:
    """Bi-level steps as in DARTS; with `prune` a pass computes only the gradients that it steps."""
    adam = torch.optim.Adam(alphas, 3e-3, betas=(0.5, 0.999), weight_decay=1e-3)
    sgd = torch.optim.SGD(weights, 0.025, momentum=0.9, weight_decay=3e-4)
    for step in range(3):
        adam.zero_grad()
        with constant(weights if prune else []):
            loss = functional.cross_entropy(network(*clips(4 + step, 12, 15)[:1]), clips(4 + step, 12, 15)[1])
        loss.backward()
        adam.step()
        sgd.zero_grad()
        with constant(alphas if prune else []):
            loss = functional.cross_entropy(network(*clips(7 + step, 12, 15)[:1]), clips(7 + step, 12, 15)[1])
        loss.backward()
        nn.utils.clip_grad_norm_(weights, 5.0)
        sgd.step()


def test_three_bi_level_steps_end_in_the_same_weights_and_alphas() -> None:
    fast = supernet(12, 15)
    plain = plain_like(fast)
    three_steps(fast, fast.arch_parameters(), fast.network_weights(), prune=True)
    three_steps(plain, list(plain.alphas), list(plain.parameters())[:-2], prune=False)
    for own, given in zip(ordered(fast), plain.parameters(), strict=True):
        torch.testing.assert_close(own, given, rtol=0, atol=1e-4)


@pytest.mark.slow
@pytest.mark.usefixtures("double_precision")
def test_one_and_two_threads_agree_and_repeat_themselves_bit_for_bit() -> None:
    fast, (x, y) = supernet(13, 17), clips(5, 13, 17)
    found, before = {}, torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found[threads] = gradients_of(fast, ordered(fast), x, y)
            again = gradients_of(fast, ordered(fast), x, y)
            is_exact = threads == 1 or kernel_path() == "compiled"  # torch's own sums may vary with two
            assert far_apart(found[threads], again) == 0 or not is_exact
    finally:
        torch.set_num_threads(before)
    assert far_apart(found[1], found[2]) < 1e-10


def drawn(mixing: Mixing) -> Mixing:
    """The same draws again."""
    if isinstance(mixing, GumbelMixing):
        mixing.draw_from(3)
    if isinstance(mixing, BinaryGates):
        mixing.draw_from(3, pairs=True)
    torch.manual_seed(11)
    return mixing


MIXINGS: dict[str, Any] = {
    "softmax": Mixing,
    "sigmoid": SigmoidMixing,
    "partial": lambda: PartialMixing(2),
    "gumbel": GumbelMixing,
    "soft gumbel": lambda: GumbelMixing(is_sparse=False),
    "gates": BinaryGates,
    "paths": PathMixing,
}


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("name", MIXINGS)
def test_every_mixing_is_what_it_is_edge_by_edge(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network, (x, y) = supernet(9, 12, MIXINGS[name]()), clips(3, 9, 12)
    drawn(network.mixing)
    found = gradients_of(network, ordered(network), x, y)
    monkeypatch.setattr(MixedCell, "_normalises_by_batch", lambda _: False)
    drawn(network.mixing)
    expected = gradients_of(network, ordered(network), x, y)
    assert far_apart(found, expected) < 1e-10


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("name", ["darts_cnn", "time_frequency_cnn"])
def test_every_operation_of_the_shipped_spaces_is_what_it_is_edge_by_edge(
    name: str, causal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = load_search_space(name)
    assert isinstance(space, CnnCellSpace)
    macro = space.macro.model_copy(update={"n_cells": 2, "channels": 4, "reduction_at": ("1/2",), "causal": causal})
    space = space.model_copy(update={"macro": macro})
    network, (x, y) = supernet(9, 12, space=space), clips(2, 9, 12)
    found = gradients_of(network, ordered(network), x, y)
    monkeypatch.setattr(MixedCell, "_normalises_by_batch", lambda _: False)
    assert far_apart(found, gradients_of(network, ordered(network), x, y)) < 1e-10


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("partial", [1, 2])
@pytest.mark.parametrize("seed", range(3))
def test_a_random_sub_network_is_what_it_is_edge_by_edge(
    seed: int, partial: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, (x, _) = supernet(10, 13, PartialMixing(partial)), clips(3, 10, 13)
    genotype = SPACE.random(np.random.default_rng(seed))
    with batch_statistics(network), torch.no_grad():
        found = network(x, genotype=genotype)
        monkeypatch.setattr(MixedCell, "_normalises_by_batch", lambda _: False)
        torch.testing.assert_close(found, network(x, genotype=genotype), rtol=1e-10, atol=1e-10)


def test_each_pass_has_only_the_gradients_that_it_steps() -> None:
    network, (x, y) = supernet(8, 10), clips(2, 8, 10)
    whole = gradients_of(network, ordered(network), x, y)
    alphas, weights = network.arch_parameters(), network.network_weights()
    for stepped, rest, expected in ((alphas, weights, whole[-2:]), (weights, alphas, whole[:-2])):
        with constant(rest):
            loss = functional.cross_entropy(network(x), y)
        loss.backward()
        assert all(parameter.grad is None for parameter in rest)
        found = [torch.zeros_like(p) if p.grad is None else p.grad for p in stepped]
        assert far_apart(found, expected) < 1e-4
        network.zero_grad(set_to_none=True)
