"""What a hand-made network may offer beside `forward`; training asks for it by these protocols."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, runtime_checkable

from torch import Tensor

TaskLoss = Callable[[Tensor, Tensor, Tensor], Tensor]  # logits, targets, weights of the clips -> scalar
TrainingBatch = tuple[Tensor, Tensor, Tensor, Tensor | None]  # x, targets, weights, lengths


@runtime_checkable
class OwnLoss(Protocol):
    """Trained by another loss than the task's."""

    def loss(self, task_loss: TaskLoss, logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
        """A scalar from the outputs of `forward` in training mode, the targets and the clips' weights (batch,).

        Args:
            task_loss: the task's own loss of (logits, targets, weights).
        """
        ...


@runtime_checkable
class ClosedForm(Protocol):
    """Whose last layer is solved, not descended to, once its other weights are trained."""

    def solve(self, batches: Iterable[TrainingBatch]) -> None:
        """Set the buffers of the last layer from all training clips; called once, in eval mode, without gradients."""
        ...
