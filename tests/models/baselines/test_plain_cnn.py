"""The plain CNN: its size by formula, its padding, inputs down to one value."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from audionas.models import n_parameters
from audionas.models.baselines.plain_cnn import PlainCnn, PlainCnnSettings


def _network(
    shape: tuple[int, int, int] = (1, 32, 64), n_classes: int = 4, channels: tuple[int, ...] = (16, 32, 64, 64)
) -> PlainCnn:
    torch.manual_seed(0)
    return PlainCnn(PlainCnnSettings(channels=channels), shape, n_classes)


def _with_statistics(network: PlainCnn) -> PlainCnn:
    """In eval mode, with running statistics that shift zeros away from zero."""
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.bias, 0.5, 1.0)
    return network.eval()


@pytest.mark.parametrize(("channels", "classes"), [(1, 4), (3, 10)])
def test_parameters_are_nine_weights_a_pair_of_channels_two_of_each_norm_and_the_classifier(
    channels: int, classes: int
) -> None:
    widths = [channels, 16, 32, 64, 64]
    convolutions = sum(9 * before * after for before, after in pairwise(widths))
    expected = convolutions + 2 * sum(widths[1:]) + 64 * classes + classes
    assert n_parameters(_network((channels, 32, 64), classes)) == expected


@pytest.mark.parametrize("lengths", [[33, 12, 1], [32, 31, 2]])
def test_padding_never_changes_a_score(lengths: list[int]) -> None:
    network = _with_statistics(_network((2, 9, 33), 3, (4, 8, 8, 8))).double()
    x = torch.randn(3, 2, 9, 33, dtype=torch.float64)
    together = network(x, torch.tensor(lengths))
    for clip, n in enumerate(lengths):
        assert torch.allclose(together[clip], network(x[clip : clip + 1, ..., :n])[0], atol=1e-12)


def test_without_lengths_padding_counts() -> None:
    network = _with_statistics(_network())
    x = torch.zeros(1, 1, 32, 64)
    x[..., :20] = torch.randn(32, 20)
    assert not torch.allclose(network(x), network(x[..., :20]))


def test_an_input_of_one_value_gives_a_score() -> None:
    assert _with_statistics(_network((1, 1, 1)))(torch.ones(1, 1, 1, 1)).shape == (1, 4)


def test_every_parameter_learns() -> None:
    network = _network((1, 32, 64)).train()
    network(torch.randn(4, 1, 32, 64), torch.tensor([64, 40, 10, 3])).square().sum().backward()
    assert all(value.grad is not None and value.grad.abs().sum() > 0 for value in network.parameters())
