"""The dominant eigenvalue of a Hessian, by power iteration with products of the Hessian and a vector; no matrix.

Source: Zela et al. 2020 (RobustDARTS), section 3.2: of the validation loss in the alphas, on one batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

MAX_PRODUCTS = 50
TOLERANCE = 1e-3


def dominant_eigenvalue(loss: Tensor, parameters: Sequence[Tensor], seed: int = 0) -> float:
    """The largest eigenvalue (with its sign) of the Hessian of `loss` in `parameters`, taken as one vector.

    Each product is one backward pass through the gradient's graph. Where the eigenvalue of the largest modulus is
    negative, the iteration is repeated on the Hessian shifted by it.
    """
    parameters = [parameter for parameter in parameters if parameter.requires_grad]
    gradients = torch.autograd.grad(loss, parameters, create_graph=True, allow_unused=True)
    pairs = [(g, p) for g, p in zip(gradients, parameters, strict=True) if g is not None and g.requires_grad]
    if not pairs:
        return 0.0
    flat = torch.cat([gradient.flatten() for gradient, _ in pairs])
    inputs = [parameter for _, parameter in pairs]

    def product(vector: Tensor) -> Tensor:
        found = torch.autograd.grad(flat, inputs, vector, retain_graph=True, allow_unused=True)
        kept = zip(found, inputs, strict=True)
        return torch.cat([(torch.zeros_like(p) if g is None else g).flatten() for g, p in kept])

    start = torch.randn(flat.numel(), generator=torch.Generator().manual_seed(seed)).to(flat)
    largest = _power(product, start)
    if largest >= 0:
        return largest
    return largest + _power(lambda vector: product(vector) - largest * vector, start)


def _power(product: Callable[[Tensor], Tensor], start: Tensor) -> float:
    vector, value = start / start.norm(), 0.0
    for _ in range(MAX_PRODUCTS):
        found = product(vector)
        before, value = value, float(vector @ found)
        norm = found.norm()
        if norm == 0 or abs(value - before) <= TOLERANCE * abs(value):
            break
        vector = found / norm
    return value
