"""What a hand-made network may offer beside `forward`; training asks for it by these protocols."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, runtime_checkable

from torch import Tensor, nn

MISSING = -1  # a second class that is not known
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


@runtime_checkable
class SecondTask(Protocol):
    """Learns a second class of each clip beside its own: one of `second_labels` in the manifest's `second_column`.

    In training `forward` gives (batch, classes + n_second), in eval mode (batch, classes). The targets of training are
    (batch, 2): class and second class, `MISSING` where the clip has none. Its `OwnLoss` is `joint_loss`, or like it.
    """

    n_second: int
    second_weight: float
    second_column: str
    second_labels: tuple[str, ...]

    def both(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Logits of both tasks in any mode, (batch, classes + n_second)."""
        ...


def trims_padding(network: object) -> bool:
    """Whether a network needs no more frames than the longest clip of a batch has.

    Such a network says so by `trims_padding = True`. On the CPU it cuts the rest off itself; on a GPU that would wait
    for the lengths, so there the batches come trimmed by who knows them on the host.
    """
    return bool(getattr(network, "trims_padding", False))


def second_task(network: nn.Module) -> SecondTask | None:
    """The network, if it has a second task."""
    return network if isinstance(network, SecondTask) and network.n_second > 0 else None
