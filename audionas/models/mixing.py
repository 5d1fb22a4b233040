"""How a supernet turns alphas into the weights of its candidates: a softmax, or what another algorithm puts there."""

from __future__ import annotations

import torch
from torch import Tensor


class Mixing:
    """DARTS: the softmax over the candidates.

    Source: Liu et al. 2019 (DARTS), equation 2.
    """

    name = "softmax"

    def __call__(self, alphas: Tensor) -> Tensor:
        """Alphas (..., options) -> weights of the same shape, as the supernet trains with them; may draw."""
        return self.decided(alphas)

    def decided(self, alphas: Tensor) -> Tensor:
        """Weights of the same shape that derivation, margins and scores read; draws nothing."""
        return torch.softmax(alphas, dim=-1)

    def entropy(self, alphas: Tensor) -> Tensor:
        """Entropy over the last axis, in nats: (...,)."""
        weights = self.decided(alphas)
        return torch.special.entr(weights).sum(-1)  # type: ignore[no-any-return]
