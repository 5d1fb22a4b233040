"""The loss of a network with a second task.

Source: Li, Zhao, Kawahara 2019, section 4.3: emotion and gender, each with its own output layer; the loss is the
weighted sum of both cross-entropies (equation 10, the main task's weight being 1). Clips whose second class is not
known teach the main task only. Class weights are the main task's: they do not weigh the second one.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from audionas.models.baselines.abilities import MISSING, SecondTask, TaskLoss


def joint_loss(task_loss: TaskLoss, network: SecondTask, logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """The task's loss plus `second_weight` times the second task's.

    Args:
        task_loss: of (logits, targets, weights).
        logits: (batch, classes + n_second).
        targets: (batch, 2), class and second class; or (batch,), where no second class is known.
    """
    if not network.n_second:
        return task_loss(logits, targets, weights)
    own, second = logits[:, : -network.n_second], logits[:, -network.n_second :]
    if targets.dim() == 1:
        return task_loss(own, targets, weights)
    return task_loss(own, targets[:, 0], weights) + network.second_weight * second_loss(second, targets[:, 1])


def second_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy of the clips whose second class is known; 0 where that of none is."""
    total = functional.cross_entropy(logits, targets, ignore_index=MISSING, reduction="sum")
    return total / (targets != MISSING).sum().clamp(min=1)
