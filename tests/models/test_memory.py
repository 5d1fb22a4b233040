"""Memory of inference against sums written out, and against what torch's own profiler saw allocated."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from audionas.kernels.loader import torch_only
from audionas.models import build_model
from audionas.models.frame_network import FrameNetwork
from audionas.models.memory import inference_bytes
from audionas.spaces import load_search_space
from audionas.spaces.reference_recipes import reference_recipe

FLOAT = 4


def test_a_chain_needs_its_weights_and_its_two_largest_neighbours() -> None:
    network = nn.Sequential(nn.Linear(10, 100), nn.ReLU(), nn.Linear(100, 5))
    weights = 10 * 100 + 100 + 100 * 5 + 5
    # the input is held by the caller throughout; the ReLU's input and output live at one time
    assert inference_bytes(network, (10,)) == FLOAT * (weights + 10 + 100 + 100)


def test_what_is_still_needed_later_stays() -> None:
    class Branches(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            first = x + 1.0
            second = torch.cat([x, x])  # twice as large
            third = second * 2.0
            return first.sum() + third.sum()

    # x, first, second and third live at one time, and in the end two sums and their sum
    assert inference_bytes(Branches(), (1000,)) == FLOAT * (1000 + 1000 + 2000 + 2000 + 3)


def test_views_and_changes_in_place_cost_nothing() -> None:
    class Views(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (x.view(-1, 10) + 0.0).relu_().t()[1:]

    assert inference_bytes(Views(), (1000,)) == FLOAT * 2000


def test_buffers_count_and_the_network_stays_as_it_is() -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("scale", torch.ones(6, dtype=torch.float64))

        def forward(self, x: Tensor) -> Tensor:
            assert not self.training
            return x + 1.0

    network = Scaled().train()
    assert inference_bytes(network, (6,)) == 8 * 6 + FLOAT * (6 + 6)  # buffer, input, output
    assert network.training
    assert network.scale.device.type == "cpu"


def _allocated(network: nn.Module, x: Tensor) -> int:
    """Bytes beside weights and input at the worst moment, as the profiler sees them."""
    with torch.no_grad(), torch.profiler.profile(profile_memory=True) as profile:
        network(x)
    now = peak = 0
    for event in profile.profiler.kineto_results.events():  # type: ignore[union-attr]
        if event.name() == "[memory]":
            now += event.nbytes()
            peak = max(peak, now)
    assert peak > 0
    return peak


def test_a_recurrent_network_takes_what_the_profiler_sees_allocated() -> None:
    network = FrameNetwork(reference_recipe("gru"), 5, 3, hidden=16, n_layers=2).eval()
    x = torch.randn(1, 12, 5)
    weights = sum(FLOAT * p.numel() for p in network.parameters())
    with torch_only():
        allocated = _allocated(network, x)
    assert inference_bytes(network, (12, 5)) == pytest.approx(weights + FLOAT * x.numel() + allocated, rel=0.05)


def test_compiled_recipes_take_less_than_a_copy_of_the_weights_more() -> None:
    network = FrameNetwork(reference_recipe("lstm"), 40, 3, hidden=64, n_layers=2).eval()
    x = torch.randn(1, 100, 40)
    weights = sum(FLOAT * p.numel() for p in network.parameters())
    assert weights + FLOAT * x.numel() + _allocated(network, x) < inference_bytes(network, (100, 40)) + weights


def test_wider_cells_need_more() -> None:
    space = load_search_space("darts_cnn_small")
    cell = tuple(("sep_conv_3x3", source) for _ in range(space.nodes) for source in (0, 1))
    sizes = []
    for channels in (4, 8):
        network = build_model(space.make(cell, cell), input_shape=(1, 16, 16), n_classes=2, channels=channels)
        sizes.append(inference_bytes(network, (1, 16, 16)))
    assert 1.5 * sizes[0] < sizes[1] < 3 * sizes[0]
