"""grad_norm: Euclidean norms of the loss's gradients, added up over the weights, after one batch.

Source: Abdelfattah et al. 2021, section 3.1, `grad_norm`, and their release: convolutions and linear layers, no biases
and no batch norm; here every weight of two or more dimensions, so that recurrent cells have one too.
"""

from __future__ import annotations

from torch import nn

from audionas.training.batches import Batch
from audionas.training.ledger import count
from audionas.training.tasks import TaskSeam


def compute(network: nn.Module, batch: Batch, task: TaskSeam) -> float:
    """Sum over weights W of |dL/dW|, L the task's loss on the labelled batch, in train mode."""
    x, targets, weights, lengths = batch
    network.train()
    network.zero_grad()
    count(forward=len(x), backward=len(x))
    logits = network(x) if lengths is None else network(x, lengths)
    task.loss(logits, targets, weights).backward()  # type: ignore[no-untyped-call]
    return sum(float(p.grad.norm()) for p in network.parameters() if p.ndim >= 2 and p.grad is not None)
