"""How a supernet turns alphas into the weights of its candidates: a softmax, or what another algorithm puts there."""

from __future__ import annotations

import torch
from torch import Tensor


class Mixing:
    """DARTS: the softmax over the candidates.

    Source: Liu et al. 2019 (DARTS), equation 2.
    """

    name = "softmax"
    partial = 1  # a mixed operation sees one in so many channels
    normalises_edges = False  # a softmax over the edges of a node, with parameters of its own
    n_computed = 1  # of a sparse mixing: how many candidates of an edge a pass computes at most
    sums_to_one = True  # the weights of a decision are a distribution over its candidates
    is_sparse = False  # all weights but one of each edge are exactly zero, and those candidates are not computed

    def __call__(self, alphas: Tensor) -> Tensor:
        """Alphas (..., options) -> weights of the same shape, as the supernet trains with them; may draw."""
        return self.decided(alphas)

    def draw(self, alphas: Tensor) -> tuple[Tensor, Tensor | None]:
        """The weights, and of a sparse mixing which candidates have to be computed, (..., options) bool."""
        weights = self(alphas)
        return weights, weights.detach() != 0 if self.is_sparse else None

    def decided(self, alphas: Tensor) -> Tensor:
        """Weights of the same shape that derivation, margins and scores read; draws nothing."""
        return torch.softmax(alphas, dim=-1)

    def entropy(self, alphas: Tensor) -> Tensor:
        """Entropy over the last axis, in nats: (...,)."""
        return torch.special.entr(self.decided(alphas)).sum(-1)  # type: ignore[no-any-return]


class SigmoidMixing(Mixing):
    """FairDARTS: each candidate has its own sigmoid, so that one need not push the others out.

    Source: Chu et al. 2020 (FairDARTS), section 4.1.
    """

    name = "sigmoid"
    sums_to_one = False

    def decided(self, alphas: Tensor) -> Tensor:
        """Weights in (0, 1), each for itself."""
        return torch.sigmoid(alphas)

    def entropy(self, alphas: Tensor) -> Tensor:
        """Mean over the candidates of the entropy of taking one or not, in nats: (...,)."""
        weights = self.decided(alphas)
        return (torch.special.entr(weights) + torch.special.entr(1 - weights)).mean(-1)  # type: ignore[no-any-return]


class PartialMixing(Mixing):
    """PC-DARTS: one in `partial` channels goes through the mixed operation; the edges of a node are weighed too.

    Recurrent cells mix all channels (`audionas.models.recurrent_supernet`).

    Source: Xu et al. 2020 (PC-DARTS), equations 1 and 2.
    """

    name = "softmax, edges normalised"
    normalises_edges = True

    def __init__(self, partial: int = 4) -> None:
        self.partial = partial


class GumbelMixing(Mixing):
    """A softmax of alphas with Gumbel noise at a temperature; `is_sparse` keeps the largest alone (straight through).

    Sources: Xie et al. 2019 (SNAS), equation 4 (all candidates weigh); Dong and Yang 2019 (GDAS), equations 5 to 7
    (only the largest is computed, the gradient is that of its soft weight).
    """

    name = "gumbel softmax"

    def __init__(self, is_sparse: bool = True) -> None:
        self.is_sparse = is_sparse
        self.temperature = 1.0
        self._draws = torch.Generator()

    def draw_from(self, seed: int) -> None:
        """Key the noise of the following calls; without this it continues where it was."""
        self._draws.manual_seed(seed)

    def __call__(self, alphas: Tensor) -> Tensor:
        """Alphas (..., options) -> a relaxed or, when sparse, a one-hot draw with gradients."""
        empty = torch.empty(alphas.shape, dtype=alphas.dtype, device="cpu")  # the same draws for every device
        noise = -empty.exponential_(generator=self._draws).log()
        logits = torch.log_softmax(alphas, dim=-1) + noise.to(alphas.device)
        soft = torch.softmax(logits / self.temperature, dim=-1)
        if not self.is_sparse:
            return soft
        hard = torch.zeros_like(soft).scatter_(-1, soft.argmax(-1, keepdim=True), 1.0)
        return hard + (soft - soft.detach())


class BinaryGates(Mixing):
    """ProxylessNAS: one candidate is drawn by the softmax; for the alphas' gradient a second is computed beside it.

    With `pairs` two candidates are drawn, one of them is the path (weight 1), the other weighs 0 and still has a
    gradient: that of its share of the two. Without, the path alone is computed and alphas have no gradient.

    Source: Cai et al. 2019 (ProxylessNAS), sections 3.1 and 3.2 (binary gates, two paths) and its release.
    """

    name = "binary gates"
    n_computed = 2
    is_sparse = True

    def __init__(self) -> None:
        self.pairs = False
        self.drawn: list[Tensor] = []  # of each call since `draw_from` the pairs, (..., options) bool
        self._draws = torch.Generator()

    def draw_from(self, seed: int, *, pairs: bool) -> None:
        """Key the draws of one pass, of pairs or of paths alone."""
        self._draws.manual_seed(seed)
        self.pairs, self.drawn = pairs, []

    def __call__(self, alphas: Tensor) -> Tensor:
        """Alphas (..., options) -> one-hot weights, with gradients when pairs are drawn."""
        return self.draw(alphas)[0]

    def draw(self, alphas: Tensor) -> tuple[Tensor, Tensor | None]:
        """The weights and who is computed."""
        if alphas.is_meta:
            return alphas, None
        if not self.pairs:
            path = self._drawn(self.decided(alphas.detach()), 1)
            return path.to(alphas.dtype), path
        pair = self._drawn(self.decided(alphas.detach()), 2)
        self.drawn.append(pair)
        shares = torch.softmax(alphas.masked_fill(~pair, -torch.inf), dim=-1)
        path = self._drawn(shares.detach(), 1).to(alphas.dtype)
        return path + (shares - shares.detach()), pair

    def _drawn(self, chances: Tensor, n: int) -> Tensor:
        """(..., options) bool, n of them true, drawn by their chances without replacement."""
        rows = chances.detach().cpu().reshape(-1, chances.shape[-1])
        found = torch.multinomial(rows, n, generator=self._draws).reshape(*chances.shape[:-1], n)
        return torch.zeros_like(chances, dtype=torch.bool).scatter_(-1, found.to(chances.device), True)


class PathMixing(Mixing):
    """Single paths drawn uniformly: alphas weigh nothing, so there is nothing to derive, to score or to log of them.

    Source: Guo et al. 2020 (SPOS), section 3.2.
    """

    name = "single path"
    is_sparse = True

    def __call__(self, alphas: Tensor) -> Tensor:
        """One candidate of each edge, drawn from torch's global generator; no gradient."""
        draws = torch.rand(alphas.shape).to(alphas.device).argmax(-1, keepdim=True)
        return torch.zeros_like(alphas).scatter_(-1, draws, 1.0)


__all__ = ["BinaryGates", "GumbelMixing", "Mixing", "PartialMixing", "PathMixing", "SigmoidMixing"]
