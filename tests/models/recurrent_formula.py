"""What a small recurrent supernet computes, written out."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from audionas.models.recurrent_supernet import RecurrentSupernet
from audionas.spaces import DartsRecurrentSpace

THREE_NODES = DartsRecurrentSpace(
    nodes={"max": 3}, ops=("linear", "elementwise_sum", "elementwise_prod", "activation_tanh"),
    macro={"hidden": 4, "bidirectional": False, "pooling": "mean"},
)  # fmt: skip


def logits_by_formula(supernet: RecurrentSupernet, weights: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """Of `THREE_NODES`: n0 = linear(x, h); n1 and n2 mix by these weights; h_new_0 = g h + (1 - g) tanh(n2)."""
    cell, h, total = supernet.rnn.layers[0], torch.zeros(len(x), 4), torch.zeros(len(x), 4)

    def linear(i: int, frame: Tensor, read: Tensor) -> Tensor:
        return frame @ cell.on_x[0, i].T + cell.biases[0, i] + read

    def moved(first: Tensor, second: Tensor) -> Tensor:
        """The distribution of the second of two independent draws, moved on where it fell on the first."""
        found = torch.zeros(len(second))
        for i, p in enumerate(first):
            for j, q in enumerate(second):
                found[(j + 1) % len(second) if i == j else j] += p * q
        return found + (1 - first.sum()) * second  # where input a is nothing, b stays

    def node(w: Tensor, own: Tensor, a: Tensor, b: Tensor) -> Tensor:
        return w[0] * own + w[1] * (a + b) + w[2] * (a * b) + w[3] * torch.tanh(a)

    for frame in x[:, 0].unbind(-1):
        n0 = linear(0, frame, h @ cell.on_states[0, 0, 0].T)
        b1 = moved(torch.tensor([0.0, 1.0]), weights["n1_b"])  # of h, n0; n1 can only read n0 as its input a
        n1 = node(weights["n1_op"], linear(1, frame, h @ cell.on_states[0, 1, 0].T), n0, b1[0] * h + b1[1] * n0)
        a2 = torch.cat([torch.zeros(1), weights["n2_a"]])  # of h, n0, n1
        b2 = moved(a2, weights["n2_b"])
        read = a2[1] * (h @ cell.on_states[0, 2, 0].T) + a2[2] * (n1 @ cell.on_nodes[0][0, 0].T)
        n2 = node(
            weights["n2_op"], linear(2, frame, read), a2[1] * n0 + a2[2] * n1, b2[0] * h + b2[1] * n0 + b2[2] * n1
        )
        gate = torch.sigmoid(linear(3, frame, h @ cell.on_states[0, 3, 0].T))
        h = gate * h + (1 - gate) * torch.tanh(n2)
        total = total + h
    return total / x.shape[-1] @ supernet.head.weight.T + supernet.head.bias
