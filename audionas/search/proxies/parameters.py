"""The number of trainable weights as a proxy: larger networks are often better, and it costs nothing.

Source: Ning et al. 2021, "Evaluating Efficient Performance Estimators of Neural Architectures": it is hard to beat.
"""

from __future__ import annotations

from torch import nn

from audionas.models import n_parameters
from audionas.training.batches import Batch
from audionas.training.tasks import TaskSeam


def compute(network: nn.Module, batch: Batch, task: TaskSeam) -> float:  # noqa: ARG001
    """Trainable weights."""
    return float(n_parameters(network))
