"""synflow: how much flows through the weights of a network that is made linear; no data at all.

With every weight replaced by its absolute value, batch norm left out and an input of ones, R is the sum of the outputs;
the score is the sum over weights of |w x dR/dw|. Given is its natural logarithm, as it spans hundreds of decades and
ranks the same.

Source: Tanaka, Kunin, Yamins, Ganguli 2020, "Pruning Neural Networks without any Data by Iteratively Conserving
Synaptic Flow", equation 3; without batch norm as Abdelfattah et al. 2021, section 3.1, and their release have it.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from audionas.training.batches import Batch
from audionas.training.ledger import count
from audionas.training.tasks import TaskSeam


def compute(network: nn.Module, batch: Batch, task: TaskSeam) -> float:  # noqa: ARG001
    """Log of the synaptic flow through convolutions and linear layers, in float64; -inf where none flows."""
    network = _linear(network)
    shape = batch[0].shape[1:]
    count(forward=1, backward=1)
    network(torch.ones(1, *shape, dtype=torch.float64, device=batch[0].device)).sum().backward()
    flow = sum(
        float((p.detach() * p.grad).abs().sum()) for p in network.parameters() if p.ndim >= 2 and p.grad is not None
    )  # fmt: skip
    return math.log(flow) if flow > 0 else -math.inf


def _linear(network: nn.Module) -> nn.Module:
    """The network in place: float64, absolute weights, no batch norm, eval mode."""
    for module in network.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.modules.batchnorm._BatchNorm):
                setattr(module, name, nn.Identity())
    network.double().eval().zero_grad()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
    return network
