"""What a hand-made system may be able to do beside `forward`; whoever trains it asks for these by `isinstance`."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor, nn


@runtime_checkable
class SecondTask(Protocol):
    """Learns a second class of each clip beside its own: one of `second_labels` in the manifest's `second_column`.

    In training `forward` gives (batch, classes + n_second), and the loss is that of the task plus `second_weight` times
    the cross-entropy of the last `n_second` logits (Li, Zhao, Kawahara 2019, equation 10); in eval mode it gives
    (batch, classes). Targets are then (batch, 2): class and second class, `MISSING` where the clip has none.
    """

    n_second: int
    second_weight: float
    second_column: str
    second_labels: tuple[str, ...]

    def both(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Logits of both tasks in any mode, (batch, classes + n_second)."""
        ...


MISSING = -1


def second_task(network: nn.Module) -> SecondTask | None:
    """The network, if it has a second task."""
    return network if isinstance(network, SecondTask) and network.n_second > 0 else None
