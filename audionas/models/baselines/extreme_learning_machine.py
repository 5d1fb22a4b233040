"""An extreme learning machine: one hidden layer of random weights, output weights in closed form.

Source: Huang, Zhu, Siew 2006; ridge and clip weights as in Huang, Zhou, Ding, Zhang 2012, equation 20, and Zong,
Huang, Chen 2013. Han, Yu, Tashev 2014 brought it to emotions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

SMALLEST_SPREAD = 1e-6  # of an input that all clips have alike


class ExtremeLearningMachine(nn.Module):
    """(batch, inputs) -> (batch, classes), near 1 for the class and -1 for the others; all zeros until `solve`.

    Nothing here is trained by gradients: all tensors are buffers. Inputs are scaled so that each spans -1 to 1 over
    the clips of `solve`.

    Args:
        ridge: added to the diagonal of the normal equations; clip weights have mean 1.
    """

    lowest: Tensor
    spread: Tensor
    projection: Tensor
    offset: Tensor
    solution: Tensor
    is_solved: Tensor

    def __init__(self, n_inputs: int, n_hidden: int, n_classes: int, ridge: float) -> None:
        super().__init__()
        self.ridge = ridge
        self.register_buffer("lowest", torch.zeros(n_inputs))
        self.register_buffer("spread", torch.ones(n_inputs))
        self.register_buffer("projection", 2 * torch.rand(n_inputs, n_hidden) - 1)
        self.register_buffer("offset", torch.rand(n_hidden))
        self.register_buffer("solution", torch.zeros(n_hidden, n_classes))
        self.register_buffer("is_solved", torch.tensor(False))

    def forward(self, x: Tensor) -> Tensor:
        """Scores of the classes."""
        return self._hidden(x) @ self.solution

    def solve(self, x: Tensor, targets: Tensor, weights: Tensor) -> None:
        """Least squares with ridge over all clips: targets (clips,) int64, weights (clips,)."""
        n_classes = self.solution.shape[1]
        self.lowest.copy_(x.amin(dim=0))
        self.spread.copy_((x.amax(dim=0) - x.amin(dim=0)).clamp(min=SMALLEST_SPREAD))
        hidden = self._hidden(x).double()
        wanted = 2.0 * functional.one_hot(targets, n_classes).double() - 1.0
        heavy = (weights.double() / weights.double().mean())[:, None] * hidden
        normal = hidden.T @ heavy + self.ridge * torch.eye(hidden.shape[1], dtype=torch.float64, device=hidden.device)
        self.solution.copy_(torch.linalg.solve(normal, heavy.T @ wanted))
        self.is_solved.fill_(True)

    def _hidden(self, x: Tensor) -> Tensor:
        scaled = 2 * (x.to(self.projection.dtype) - self.lowest) / self.spread - 1
        return torch.sigmoid(scaled @ self.projection + self.offset)
