"""Multiply-accumulates (MACs) of a network: what one clip costs, whatever the machine.

Counted are the products of weights (and of any two matrices) in convolutions and linear layers: one MAC is one
multiplication with its addition. Not counted are biases, batch norm, activations, poolings, the elementwise
products of recurrent recipes, and whatever comes before the network: features and frozen encoders.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from audionas.models.frame_network import FrameNetwork

FLOPS_OF_A_MAC = 2  # torch counts the multiplication and the addition


def n_macs(network: nn.Module, input_shape: Sequence[int]) -> int:
    """MACs of one forward pass of one clip that fills the whole input, in eval mode.

    A recurrent network stops at a clip's own last frame: for shorter clips it takes in proportion less than this.

    Args:
        input_shape: (channels, features, frames), or (frames, features) for a recurrent network.
    """
    if not isinstance(network, FrameNetwork):
        return _counted(network, input_shape)
    # Every frame costs the same, so two short passes tell the cost of thousands of frames.
    at = 0 if len(input_shape) == 2 else 2
    one, two = (_counted(network, [*input_shape[:at], n, *input_shape[at + 1 :]]) for n in (1, 2))
    return one + (input_shape[at] - 1) * (two - one)


def _counted(network: nn.Module, input_shape: Sequence[int]) -> int:
    """MACs of shapes alone, on torch's meta device."""
    shapes_only = copy.deepcopy(network).to("meta").eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        shapes_only(torch.empty(1, *input_shape, device="meta"))
    return int(counter.get_total_flops()) // FLOPS_OF_A_MAC
