"""Poolings against formulas written out; sizes of the frame stream against EmotionNAS's table."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch

from audionas.errors import SettingsError
from audionas.models import build_model, n_parameters, parameter_parts
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


# --- as the features come ---


def test_a_feature_map_gives_what_its_frames_give() -> None:
    torch.manual_seed(0)
    network = FrameNetwork(reference_recipe("lstm"), 2 * D, 3, hidden=5, n_layers=1, n_channels=1).double()
    x = torch.randn(B, T, 2 * D, dtype=torch.float64)
    torch.testing.assert_close(network(x, LENGTHS), network(x.transpose(1, 2)[:, None], LENGTHS))


def test_channels_stand_side_by_side_in_a_frame() -> None:
    torch.manual_seed(0)
    network = FrameNetwork(reference_recipe("lstm"), D, 3, hidden=5, n_layers=1, n_channels=2).double()
    x = torch.randn(B, 2, D, T, dtype=torch.float64)
    frames = torch.cat([x[:, 0], x[:, 1]], dim=1).transpose(1, 2)
    flat = FrameNetwork(reference_recipe("lstm"), 2 * D, 3, hidden=5, n_layers=1).double()
    flat.load_state_dict(network.state_dict())
    torch.testing.assert_close(network(x), flat(frames))


def test_a_weighted_sum_of_layers_starts_as_their_mean_and_learns() -> None:
    torch.manual_seed(0)
    network = FrameNetwork(
        reference_recipe("lstm"), D, 3, hidden=5, n_layers=1, n_channels=3, channels="weighted_sum"
    ).double()
    plain = FrameNetwork(reference_recipe("lstm"), D, 3, hidden=5, n_layers=1).double()
    state = network.state_dict()
    assert state.pop("layer_weights").shape == (3,)
    plain.load_state_dict(state)
    x = torch.randn(B, 3, D, T, dtype=torch.float64)
    torch.testing.assert_close(network(x), plain(x.mean(dim=1).transpose(1, 2)))
    network(x).square().sum().backward()
    assert network.layer_weights is not None
    assert network.layer_weights.grad is not None
    assert network.layer_weights.grad.abs().max() > 0


@pytest.mark.parametrize("shape", [(B, T, D + 1), (B, 2, D, T), (B, 1, D, 0), (B, D)])
def test_frames_of_another_width_are_refused_with_both_widths(shape: tuple[int, ...]) -> None:
    network = FrameNetwork(reference_recipe("rnn"), D, 3, hidden=5, n_layers=1)
    with pytest.raises(SettingsError, match=rf"expects 1 channel\(s\) of {D} features and at least one frame"):
        network(torch.zeros(shape))


@pytest.mark.parametrize("lengths", [[6, 0, 1], [6, 7, 1], [-1, 2, 3]])
def test_a_clip_without_frames_or_with_more_than_there_are_is_refused(lengths: list[int]) -> None:
    network = FrameNetwork(reference_recipe("rnn"), D, 3, hidden=5, n_layers=1)
    with pytest.raises(
        SettingsError, match=r"lengths from -?\d to \d, must be 1 to 6: a clip needs at least one frame"
    ):
        network(torch.zeros(B, T, D), torch.tensor(lengths))


def test_a_genotype_builds_its_network_from_either_shape() -> None:
    genotype = reference_recipe("lstm")
    one = build_model(genotype, input_shape=(T, D), n_classes=3, hidden=7)
    other = build_model(genotype, input_shape=(1, D, T), n_classes=3, hidden=7)
    assert n_parameters(one) == n_parameters(other)
    assert one(torch.zeros(2, T, D)).shape == other(torch.zeros(2, 1, D, T)).shape == (2, 3)
    with pytest.raises(SettingsError, match=r"input_shape: got \(4,\), must be \(frames, features\)"):
        build_model(genotype, input_shape=(D,), n_classes=3)
    with pytest.raises(SettingsError, match="unknown key 'n_cells'"):
        build_model(genotype, input_shape=(T, D), n_classes=3, n_cells=2)
    with pytest.raises(SettingsError, match="auxiliary and drop_path are for CNN cells"):
        build_model(genotype, input_shape=(T, D), n_classes=3, auxiliary=True)


def test_the_parts_of_a_network_are_counted_apart_and_sum_up() -> None:
    network = build_model(reference_recipe("rnn"), input_shape=(T, D), n_classes=3, hidden=5, bidirectional=False)
    # rnn: D*5 + 5*5 + 5; attention v.tanh(W h + b): 5*5 + 5 + 5; classifier 5*3 + 3
    assert parameter_parts(network) == {
        "recurrent": 50, "attention": 35, "classifier": 18, "layer_sum": 0, "total": 103,
    }  # fmt: skip
