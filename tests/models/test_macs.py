"""Multiply-accumulates against formulas written out: convolutions, linear layers, recurrent recipes."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from audionas.models import build_model
from audionas.models.frame_network import FrameNetwork
from audionas.models.frame_pooling import FRAME_POOLINGS
from audionas.models.macs import n_macs
from audionas.spaces import CnnGenotype, CnnMacro
from audionas.spaces.reference_recipes import reference_recipe


def test_a_convolution_costs_its_kernel_for_every_value_it_gives() -> None:
    layer = nn.Conv2d(4, 8, (3, 5), padding=(1, 2))  # output (8, 10, 12)
    assert n_macs(layer, (4, 10, 12)) == 8 * 10 * 12 * 4 * 3 * 5


def test_stride_dilation_and_groups_are_counted() -> None:
    strided = nn.Conv2d(4, 8, 3, stride=2, padding=1)  # output (8, 5, 6)
    assert n_macs(strided, (4, 10, 12)) == 8 * 5 * 6 * 4 * 9
    depthwise = nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=4)  # one input channel a kernel
    assert n_macs(depthwise, (4, 10, 12)) == 4 * 10 * 12 * 9
    grouped = nn.Conv2d(6, 12, 3, padding=1, groups=3)  # two input channels a kernel
    assert n_macs(grouped, (6, 4, 4)) == 12 * 16 * 2 * 9


def test_a_linear_layer_costs_its_weights_at_every_place() -> None:
    assert n_macs(nn.Linear(7, 3), (7,)) == 7 * 3
    assert n_macs(nn.Linear(7, 3), (5, 7)) == 5 * 7 * 3


def test_batch_norm_activations_and_pooling_cost_nothing() -> None:
    assert n_macs(nn.Sequential(nn.BatchNorm2d(4), nn.ReLU(), nn.AvgPool2d(2)), (4, 8, 8)) == 0


def test_an_lstm_costs_four_gates_of_two_products_a_frame() -> None:
    n_inputs, hidden, n_frames, n_classes = 10, 6, 13, 4
    network = FrameNetwork(
        reference_recipe("lstm"), n_inputs, n_classes, hidden=hidden, n_layers=1, bidirectional=False, pooling="mean"
    )
    lstm = n_frames * 4 * (n_inputs * hidden + hidden * hidden)
    assert n_macs(network, (n_frames, n_inputs)) == lstm + hidden * n_classes
    assert n_macs(network, (1, n_inputs, n_frames)) == lstm + hidden * n_classes


def test_two_directions_two_layers_and_attention_are_counted() -> None:
    n_inputs, hidden, n_frames, n_classes = 10, 6, 13, 4
    network = FrameNetwork(reference_recipe("gru"), n_inputs, n_classes, hidden=hidden, n_layers=2, bidirectional=True)
    first = 2 * 3 * (n_inputs * hidden + hidden * hidden)
    second = 2 * 3 * (2 * hidden * hidden + hidden * hidden)
    attention = (2 * hidden) ** 2 + 2 * hidden  # W h, then v . tanh(W h)
    head = 2 * hidden * hidden + hidden * n_classes  # two layers, as the pooled width is not the hidden size
    assert n_macs(network, (n_frames, n_inputs)) == n_frames * (first + second + attention) + head


@pytest.mark.parametrize("pooling", FRAME_POOLINGS)
def test_every_pooling_is_counted_without_values(pooling: str) -> None:
    network = FrameNetwork(reference_recipe("rnn"), 3, 2, hidden=4, n_layers=1, bidirectional=False, pooling=pooling)
    pooled = 8 if pooling == "statistics" else 4
    head = pooled * 2 if pooled == 4 else pooled * 4 + 4 * 2
    attention = {"attention": 5 * (4 * 4 + 4), "attention_query": 5 * 4}.get(pooling, 0)
    assert n_macs(network, (5, 3)) == 5 * (3 * 4 + 4 * 4) + attention + head


def test_a_cnn_of_cells_costs_stem_preparation_operations_and_classifier() -> None:
    cell = (("sep_conv_3x3", 0), ("skip_connect", 1))
    genotype = CnnGenotype(
        cell, (2,), cell, (2,), 2, CnnMacro(n_cells=1, channels=4, stem_multiplier=2, reduction_at=())
    )
    places = 8 * 16
    stem = places * 1 * 8 * 9
    prepared = 2 * places * 8 * 4  # 1x1 convolutions of both inputs
    separable = 2 * places * (4 * 9 + 4 * 4)  # twice: depthwise 3x3, then 1x1
    network = build_model(genotype, input_shape=(1, 8, 16), n_classes=3)
    assert n_macs(network, (1, 8, 16)) == stem + prepared + separable + 4 * 3


def test_counting_leaves_the_network_as_it_is() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.Dropout()).train()
    before = network[0].weight.clone()
    n_macs(network, (2,))
    assert network.training
    assert network[0].weight.device.type == "cpu"
    assert torch.equal(network[0].weight, before)


def test_frames_of_a_recurrent_network_add_up_to_a_whole_pass() -> None:
    network = FrameNetwork(reference_recipe("gru"), 3, 2, hidden=4, n_channels=2, channels="weighted_sum")
    whole = nn.Sequential(network)  # not known as a recurrent network: counted in one pass
    assert n_macs(network, (2, 3, 9)) == n_macs(whole, (2, 3, 9))
