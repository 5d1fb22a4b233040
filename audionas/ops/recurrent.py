"""Operations of a recurrent recipe's nodes: how many inputs each takes, and what it computes.

Source: Klyuchnikov et al. 2020 (NAS-Bench-NLP), section 3, and its release. All tensors are (batch, hidden).
Difference: sums and products of more than two inputs fold over all of them; the release reuses one input.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

LINEAR = "linear"
BLEND = "blend"


@dataclass(frozen=True)
class RnnOp:
    """One line of the table; `most` None means any number of inputs, `apply` None that weights are needed."""

    fewest: int
    most: int | None
    is_ordered: bool
    apply: Callable[[Sequence[Tensor]], Tensor] | None
    summary: str


def blend(inputs: Sequence[Tensor]) -> Tensor:
    """g * a + (1 - g) * b of (g, a, b), each (batch, hidden); g is not squashed."""
    g, a, b = inputs
    return g * a + (1.0 - g) * b


def product(inputs: Sequence[Tensor]) -> Tensor:
    """Elementwise product of all inputs."""
    result = inputs[0]
    for value in inputs[1:]:
        result = result * value
    return result


def total(inputs: Sequence[Tensor]) -> Tensor:
    """Elementwise sum of all inputs."""
    result = inputs[0]
    for value in inputs[1:]:
        result = result + value
    return result


RNN_OPS: dict[str, RnnOp] = {
    LINEAR: RnnOp(1, None, False, None, "sum of one weight matrix an input, and a bias"),
    BLEND: RnnOp(3, 3, True, blend, "g * a + (1 - g) * b of (g, a, b)"),
    "elementwise_prod": RnnOp(2, None, False, product, "product of all inputs"),
    "elementwise_sum": RnnOp(2, None, False, total, "sum of all inputs"),
    "activation_tanh": RnnOp(1, 1, False, lambda inputs: torch.tanh(inputs[0]), "tanh"),
    "activation_sigm": RnnOp(1, 1, False, lambda inputs: torch.sigmoid(inputs[0]), "logistic sigmoid"),
    "activation_leaky_relu": RnnOp(
        1, 1, False, lambda inputs: functional.leaky_relu(inputs[0], 0.01), "leaky ReLU, slope 0.01"
    ),
}
