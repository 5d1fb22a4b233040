"""Gradients that can be differentiated themselves, by doing an operation again in torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Outputs = Tensor | Sequence[Tensor]


def gradients_again(
    compute: Callable[[list[Tensor]], Outputs], given: Sequence[Tensor], wanted: Sequence[bool], received: Outputs
) -> list[Tensor | None]:
    """For each given tensor its gradient, None where it is not wanted or does not matter.

    One given tensor may be made from another; as an input of the operation it counts for itself alone.
    """
    own = [each.view_as(each) for each in given]
    chosen = [each for each, is_wanted in zip(own, wanted, strict=True) if is_wanted]
    found = iter(torch.autograd.grad(compute(own), chosen, received, create_graph=True, allow_unused=True))
    return [next(found) if is_wanted else None for is_wanted in wanted]
