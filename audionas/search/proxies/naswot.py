"""naswot: whether an untrained network tells the clips of a batch apart by which of its ReLUs are on.

Each clip has a code of bits, one a ReLU unit; K[i, j] counts units that agree for clips i and j, and the score is
log |det K|. Clips with equal codes make it -inf.

Source: Mellor, Turner, Storkey, Crowley 2021, "Neural Architecture Search without Training", equation 2. Their batches
have 128 images; here a batch has as many clips as the strategy's `batch_size` says.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from audionas.training.batches import Batch
from audionas.training.ledger import count
from audionas.training.tasks import TaskSeam


def compute(network: nn.Module, batch: Batch, task: TaskSeam) -> float:  # noqa: ARG001
    """log |det K| over the clips of the batch; labels are not read. In train mode, as the release has it."""
    x, _, _, lengths = batch
    kernel = np.zeros((len(x), len(x)))

    def add_agreements(_: nn.Module, __: object, output: Tensor) -> None:
        bits = (output.detach() > 0).flatten(1).double().cpu().numpy()
        kernel[:] += bits @ bits.T + (1 - bits) @ (1 - bits).T

    hooks = [
        module.register_forward_hook(add_agreements) for module in network.modules() if isinstance(module, nn.ReLU)
    ]
    count(forward=len(x))
    with torch.no_grad():
        network.train()(x) if lengths is None else network.train()(x, lengths)
    for hook in hooks:
        hook.remove()
    sign, log_determinant = np.linalg.slogdet(kernel)
    return float(log_determinant) if sign else -math.inf
