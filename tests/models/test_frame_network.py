"""Poolings against formulas written out; sizes of the frame stream against EmotionNAS's table."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch

from audionas.errors import SettingsError
from audionas.models import n_parameters
from audionas.models.frame_network import FrameNetwork
from audionas.models.frame_pooling import FRAME_POOLINGS, AttentionPooling, build_frame_pooling
from audionas.spaces.recurrent_genotype import RecurrentGenotype
from audionas.spaces.reference_recipes import reference_recipe

B, T, D = 3, 6, 4
LENGTHS = torch.tensor([6, 3, 1])


@pytest.fixture
def frames() -> torch.Tensor:
    return torch.randn(B, T, D, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("name", FRAME_POOLINGS)
def test_padding_never_changes_what_is_pooled(name: str, frames: torch.Tensor) -> None:
    torch.manual_seed(0)
    pooling = build_frame_pooling(name, D).double()
    together = pooling(frames, LENGTHS)
    assert together.shape == (B, pooling.n_outputs)
    for clip, n in enumerate(LENGTHS.tolist()):
        assert torch.allclose(together[clip], pooling(frames[clip : clip + 1, :n])[0], atol=1e-12)


def test_plain_poolings_are_what_their_names_say(frames: torch.Tensor) -> None:
    clip = frames[1, :3]
    expected = {
        "mean": clip.mean(0),
        "max": clip.max(0).values,
        "last": clip[-1],
        "statistics": torch.cat([clip.mean(0), (clip.var(0, correction=0) + 1e-5).sqrt()]),
    }
    for name, value in expected.items():
        assert torch.allclose(build_frame_pooling(name, D)(frames, LENGTHS)[1], value)


def test_additive_attention_is_its_formula(frames: torch.Tensor) -> None:
    torch.manual_seed(0)
    pooling = AttentionPooling(D).double()
    assert pooling.projection is not None
    clip = frames[1, :3]
    energy = torch.tanh(clip @ pooling.projection.weight.T + pooling.projection.bias) @ pooling.query.weight[0]
    share = energy.exp() / energy.exp().sum()
    assert torch.allclose(pooling(frames, LENGTHS)[1], (share[:, None] * clip).sum(0))
    weights = pooling.weights(frames, LENGTHS)
    assert torch.allclose(weights.sum(1), torch.ones(B, dtype=torch.float64))
    assert weights[1, 3:].abs().max() == 0


def test_an_unknown_pooling_names_those_there_are() -> None:
    with pytest.raises(SettingsError, match="did you mean 'attention'"):
        build_frame_pooling("atention", 4)


def _recipe(n_x: int, n_h: int, n_linear: int) -> RecurrentGenotype:
    """A recipe of two states with so many x inputs, hidden inputs and linear nodes, in a chain."""
    per_node = [n_h // n_linear + (k < n_h % n_linear) for k in range(n_linear)]
    nodes: dict[str, Any] = {}
    for k in range(n_linear):
        hidden = ["h_prev_0", "h_prev_1", *(f"a{i}" for i in range(k))]
        inputs = (["x"] if k < n_x else []) + [hidden[i % len(hidden)] for i in range(per_node[k])]
        nodes[f"l{k}"] = {"op": "linear", "input": inputs}
        nodes[f"a{k}"] = {"op": "activation_tanh", "input": [f"l{k}"]}
    nodes["h_new_0"] = {"op": "activation_sigm", "input": [f"a{n_linear - 1}"]}
    nodes["h_new_1"] = {"op": "elementwise_sum", "input": [f"a{k}" for k in range(n_linear)]}
    return RecurrentGenotype.from_recipe(nodes)


@pytest.mark.parametrize(
    ("blocks", "words", "small", "large"),
    [
        ((1, 6, 3), {"bidirectional": True}, 361_860, 2_232_580),
        ((2, 14, 6), {"bidirectional": False}, 361_732, 2_232_324),
        ((2, 12, 5), {"bidirectional": False, "emit": "h0+h1"}, 361_732, 2_232_068),
    ],
)
def test_three_readings_give_the_sizes_of_emotionnas_table_4(
    blocks: tuple[int, int, int], words: dict[str, Any], small: int, large: int
) -> None:
    """Recurrent and fully connected layers, attention not counted; the paper: 0.36M at (1, 128), 2.23M at (2, 256).

    cell(i, h) = nx i h + nh h^2 + b h; stacked cells read what the layer below emits.
    """
    n_x, n_h, n_linear = blocks
    directions, emitted = (2 if words["bidirectional"] else 1), (2 if "emit" in words else 1)
    for n_layers, hidden, known in ((1, 128, small), (2, 256, large)):
        widths = [512, *[hidden * directions * emitted] * n_layers]
        cells = sum(n_x * i * hidden + n_h * hidden**2 + n_linear * hidden for i, _ in pairwise(widths)) * directions
        out = widths[-1]
        head = out * 4 + 4 if out == hidden else (out * hidden + hidden) + (hidden * 4 + 4)
        assert cells + head == known, "the formula, by hand"
        network = FrameNetwork(_recipe(*blocks), 512, 4, hidden=hidden, n_layers=n_layers, **words)
        assert n_parameters(network) - n_parameters(network.pooling) == known


def test_padding_never_changes_a_score() -> None:
    torch.manual_seed(0)
    network = FrameNetwork(reference_recipe("lstm"), D, 3, hidden=8).double()
    frames = torch.randn(B, T, D, dtype=torch.float64)
    together = network(frames, LENGTHS)
    for clip, n in enumerate(LENGTHS.tolist()):
        assert torch.allclose(together[clip], network(frames[clip : clip + 1, :n])[0], atol=1e-12)
