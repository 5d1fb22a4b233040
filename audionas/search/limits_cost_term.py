"""`CostTerm`: what steers the alphas of a one-shot search towards networks within its limits.

The expected cost of the network that the mixing weights stand for, in units of its limit, times `weight`, is added to
the loss of the alphas: each edge's operations by their weights (`none` costs nothing), the edge by the share of a
node's edges that are kept. Source of the idea: Cai et al. 2019 (ProxylessNAS), section 3.3, whose expected latency
is here parameters and MACs. It changes the alphas only; derivation keeps the limits hard.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from audionas.models import Supernet
from audionas.models.cnn_supernet import CnnSupernet
from audionas.models.edge_costs import measure_edge_costs
from audionas.ops import NONE
from audionas.search.limits import LimitCheck
from audionas.search.limits_smallest import ceilings
from audionas.spaces.cnn_cell import KINDS
from audionas.spaces.limited_derivation import AdditiveCost, Ceiling


@dataclass(frozen=True)
class CostTerm:
    """Mean over the ceilings of expected cost / limit, times `weight`."""

    supernet: CnnSupernet
    ceilings: tuple[Ceiling, ...]
    weight: float

    @staticmethod
    def of(supernet: Supernet, check: LimitCheck, weight: float) -> CostTerm:
        """The term of a supernet of CNN cells under limits on parameters, on MACs, or on both."""
        assert isinstance(supernet, CnnSupernet)
        place = check.meter.place
        costs = measure_edge_costs(supernet.space, place.input_shape, place.n_outputs)
        return CostTerm(supernet, tuple(ceilings(check.limits, costs, place.length_s)), weight)

    def __call__(self) -> Tensor:
        """The term, a number with a gradient in alphas (and betas)."""
        shares = [self.expected(ceiling.cost) / ceiling.most for ceiling in self.ceilings]
        return self.weight * torch.stack(shares).mean()

    def expected(self, cost: AdditiveCost) -> Tensor:
        """The expected cost: parameters, or MACs of one clip."""
        space, total = self.supernet.space, torch.tensor(float(cost.constant), device=self.supernet.weights_device)
        columns = [k for k, op in enumerate(space.ops) if op != NONE]
        for kind in KINDS:
            weights = self.supernet.mixing.decided(self.supernet.alphas(kind))[:, columns]
            table = torch.as_tensor(cost.of[kind], dtype=weights.dtype, device=weights.device)
            total = total + ((weights * table).sum(dim=1) * self._kept_shares(kind, weights)).sum()
        return total

    def add_gradient(self, *_: Any) -> None:
        """Add the term's gradient to those of the alphas; a hook that an optimiser calls before its step."""
        alphas = self.supernet.arch_parameters()
        with torch.enable_grad():
            gradients = torch.autograd.grad(self(), alphas, allow_unused=True)
        for alpha, gradient in zip(alphas, gradients, strict=True):
            if gradient is not None:
                alpha.grad = gradient if alpha.grad is None else alpha.grad + gradient

    def _kept_shares(self, kind: str, like: Tensor) -> Tensor:
        """(edges,): how much of each edge is kept, so that a node's add up to the number that it keeps."""
        space, edges = self.supernet.space, self.supernet.edge_weights(kind)
        kept = torch.tensor([space.kept(node) for node, _ in space.edges], dtype=like.dtype, device=like.device)
        nodes = torch.tensor([node for node, _ in space.edges], dtype=like.dtype, device=like.device)
        return kept / nodes if edges is None else kept * edges
