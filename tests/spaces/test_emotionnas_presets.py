"""The presets of EmotionNAS's Table 4: counts, rules, and a forward pass."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from audionas.errors import SettingsError
from audionas.models import n_parameters
from audionas.models.frame_network import FrameNetwork
from audionas.ops.recurrent import LINEAR
from audionas.spaces.emotionnas_presets import EMOTIONNAS_PRESETS, emotionnas_preset
from audionas.spaces.recurrent_cell import RecurrentCellSpace
from audionas.spaces.recurrent_genotype import RecurrentGenotype

# FACTS 1.1: nx, nh, b, and the parameters at (L=1, h=128) and (L=2, h=256) for D = 512 and 4 classes
PUBLISHED = {
    "bidirectional": (1, 6, 3, 361_860, 2_232_580),
    "unidirectional": (2, 14, 6, 361_732, 2_232_324),
    "unidirectional_both_states": (2, 12, 5, 361_732, 2_232_068),
}


def network(preset: RecurrentGenotype) -> FrameNetwork:
    """The frame stream's network, built as the preset's macro says."""
    macro = preset.macro
    return FrameNetwork(
        preset, 512, 4, hidden=macro.hidden, n_layers=macro.n_layers, bidirectional=macro.bidirectional,
        emit=macro.emit, pooling=macro.pooling,
    )  # fmt: skip


@pytest.mark.parametrize("name", EMOTIONNAS_PRESETS)
def test_a_preset_has_the_sizes_of_table_4_without_attention_weights(name: str) -> None:
    n_x, n_h, n_linear, small, large = PUBLISHED[name]
    for n_layers, hidden, known in ((1, 128, small), (2, 256, large)):
        preset = emotionnas_preset(name, n_layers, hidden)
        directions, emitted = 1 + preset.macro.bidirectional, len(preset.macro.emit.split("+"))
        widths = [512, *[hidden * directions * emitted] * n_layers]
        cells = sum(n_x * i * hidden + n_h * hidden**2 + n_linear * hidden for i, _ in pairwise(widths)) * directions
        out = widths[-1]
        head = out * 4 + 4 if out == hidden else (out * hidden + hidden) + (hidden * 4 + 4)
        assert cells + head == known, "the formula, by hand"
        built = network(preset)
        assert n_parameters(built) - n_parameters(built.pooling) == known


@pytest.mark.parametrize("name", EMOTIONNAS_PRESETS)
def test_a_preset_has_the_inputs_that_its_size_asks_for(name: str) -> None:
    inputs = [node.inputs for node in EMOTIONNAS_PRESETS[name].nodes if node.op == LINEAR]
    n_x = sum(sources.count("x") for sources in inputs)
    assert (n_x, sum(map(len, inputs)) - n_x, len(inputs)) == PUBLISHED[name][:3]


@pytest.mark.parametrize("name", EMOTIONNAS_PRESETS)
def test_a_preset_is_a_recipe_of_the_search_space_with_activations_on_its_linear_nodes(name: str) -> None:
    preset = EMOTIONNAS_PRESETS[name]
    RecurrentCellSpace(states=2).check(preset)
    ops = {node.name: node.op for node in preset.nodes}
    for node in preset.nodes:
        for source in node.inputs:
            if ops.get(source) == LINEAR:
                assert node.op.startswith("activation_")
            elif node.op == LINEAR and source in ops:
                assert ops[source].startswith("activation_")


@pytest.mark.parametrize("name", EMOTIONNAS_PRESETS)
def test_a_preset_scores_frames(name: str) -> None:
    torch.manual_seed(0)
    logits = network(emotionnas_preset(name, 1, 8))(torch.randn(2, 5, 512), torch.tensor([5, 2]))
    assert logits.shape == (2, 4)
    assert torch.isfinite(logits).all()


def test_an_unknown_preset_names_those_there_are() -> None:
    with pytest.raises(SettingsError, match=r"unknown EmotionNAS preset 'unidirectionel' \(did you mean"):
        emotionnas_preset("unidirectionel")
