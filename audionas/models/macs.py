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

FLOPS_OF_A_MAC = 2  # torch counts the multiplication and the addition


def n_macs(network: nn.Module, input_shape: Sequence[int]) -> int:
    """MACs of one forward pass of one clip that fills the whole input, in eval mode.

    Shapes alone are computed (torch's meta device), so the time does not depend on the sizes. A recurrent network
    stops at a clip's own last frame: for shorter clips it takes in proportion less than this.

    Args:
        input_shape: (channels, features, frames), or (frames, features) for a recurrent network.
    """
    shapes_only = copy.deepcopy(network).to("meta").eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        shapes_only(torch.empty(1, *input_shape, device="meta"))
    return int(counter.get_total_flops()) // FLOPS_OF_A_MAC
