"""ResNet-18 at any width: its size against the published one and by formula, its padding, its shortcuts."""

from __future__ import annotations

import pytest
import torch

from audionas.models import n_parameters
from audionas.models.baselines.resnet18_slim import (
    ResNet18,
    ResNet18Settings,
    ResNet18Slim8Settings,
    ResNet18Slim16Settings,
    ResNet18Slim32Settings,
    build,
)
from audionas.models.macs import n_macs

PUBLISHED = 11_689_512  # torchvision's resnet18, 1,000 classes


def _by_formula(width: int, channels: int, classes: int) -> int:
    """Stem, sixteen 3x3 convolutions, three 1x1 shortcuts, two values a channel of every norm, the classifier."""
    w1, w2, w4, w8 = (width * k for k in (1, 2, 4, 8))
    stem = 9 * channels * w1 + 2 * w1
    stages = 4 * (9 * w1 * w1 + 2 * w1)
    for before, after in ((w1, w2), (w2, w4), (w4, w8)):
        stages += (9 * before * after + 2 * after) + 3 * (9 * after * after + 2 * after) + (before * after + 2 * after)
    return stem + stages + w8 * classes + classes


def test_at_full_width_it_is_the_published_network() -> None:
    network = build(ResNet18Settings(width=64, stem="picture"), (3, 224, 224), 1000)
    assert n_parameters(network) == PUBLISHED


def test_at_full_width_it_costs_what_the_paper_says() -> None:
    """He et al. 2016, table 1: 1.8 x 10^9 multiply-adds at 224 x 224."""
    with torch.device("meta"):
        network = build(ResNet18Settings(width=64, stem="picture"), (3, 224, 224), 1000)
    assert n_macs(network, (3, 224, 224)) / 1e9 == pytest.approx(1.8, abs=0.05)


@pytest.mark.parametrize(
    ("settings", "width"),
    [(ResNet18Slim8Settings(), 8), (ResNet18Slim16Settings(), 16), (ResNet18Slim32Settings(), 32)],
)
def test_the_three_sizes_by_formula(settings: ResNet18Settings, width: int) -> None:
    assert n_parameters(build(settings, (1, 32, 64), 4)) == _by_formula(width, 1, 4)


def _network(stem: str, channels: int = 2) -> ResNet18:
    torch.manual_seed(0)
    network = build(ResNet18Settings(width=2, stem=stem), (channels, 9, 33), 3)  # type: ignore[arg-type]
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):  # zeros in, not zeros out
            torch.nn.init.uniform_(module.bias, 0.5, 1.0)
    return network.double().eval()


@pytest.mark.parametrize("stem", ["small", "picture"])
@pytest.mark.parametrize("lengths", [[33, 12, 1], [32, 31, 2], [18, 20, 4]])
def test_padding_never_changes_a_score(stem: str, lengths: list[int]) -> None:
    network = _network(stem)
    x = torch.randn(3, 2, 9, 33, dtype=torch.float64)
    together = network(x, torch.tensor(lengths))
    for clip, n in enumerate(lengths):
        assert torch.allclose(together[clip], network(x[clip : clip + 1, ..., :n])[0], atol=1e-12)


@pytest.mark.parametrize("stem", ["small", "picture"])
def test_an_input_of_one_value_gives_a_score(stem: str) -> None:
    assert _network(stem, 1)(torch.ones(1, 1, 1, 1, dtype=torch.float64)).shape == (1, 3)


def test_with_zeroed_convolutions_a_block_hands_on_its_input() -> None:
    """A residual of nothing: where the size stays, a block is the ReLU of its input."""
    block = build(ResNet18Settings(width=4), (1, 8, 8), 2).blocks[0].eval()
    torch.nn.init.zeros_(block.norm2.weight)
    x = torch.randn(2, 4, 5, 6)
    assert torch.equal(block(x, None)[0], x.relu())


def test_every_parameter_learns() -> None:
    network = build(ResNet18Slim8Settings(), (1, 32, 64), 4).train()
    network(torch.randn(4, 1, 32, 64), torch.tensor([64, 40, 10, 3])).square().sum().backward()
    assert all(value.grad is not None and value.grad.abs().sum() > 0 for value in network.parameters())
