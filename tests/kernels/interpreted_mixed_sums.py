"""Run with TRITON_INTERPRET=1: prints, as JSON, how far a node's kernels are from torch in float64, case by case."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import torch
from torch import Tensor

from audionas.kernels import native
from audionas.kernels.mixed_sum import mixed_sum, plain_sum
from audionas.kernels.triton_mixed_sum import _fault, can_sum

CASES = {
    "one": ((1, 1, 1, 2), 1, torch.float32),
    "two": ((2, 3, 7, 9), 2, torch.float32),
    "eight": ((2, 2, 5, 6), 8, torch.float32),
    "nine": ((1, 4, 33, 35), 9, torch.float32),  # planes of more than a block
    "many": ((2, 3, 6, 5), 21, torch.float32),
    "long": ((2, 1, 95, 97), 3, torch.float32),  # planes of more than a share
    "bfloat16": ((4, 3, 12, 11), 9, torch.bfloat16),
}


def case(shape: tuple[int, ...], n: int, dtype: torch.dtype) -> tuple[Tensor, list[Tensor], list[bool]]:
    generator = torch.Generator().manual_seed(n)
    weights = torch.rand(n, generator=generator).requires_grad_()
    wide = [torch.randn(shape[0], 2 * shape[1], *shape[2:], generator=generator) * (k + 1) + 3 * k for k in range(n)]
    terms = [each.to(dtype)[:, shape[1] :].detach().requires_grad_() for each in wide]  # slices, as edges' are
    return weights, terms, [k % 4 != 2 for k in range(n)]


def apart(found: Sequence[Tensor], expected: Sequence[Tensor]) -> float:
    worst = 0.0
    for one, other in zip(found, expected, strict=True):
        worst = max(worst, float(((one.double() - other).norm() / other.norm().clamp(min=1e-9)).detach()))
    return worst


def distances(name: str) -> dict[str, float]:
    weights, terms, normalised = case(*CASES[name])
    exact = [each.detach().double().requires_grad_() for each in (weights, *terms)]
    received = torch.randn(terms[0].shape, generator=torch.Generator().manual_seed(1)).to(terms[0].dtype)
    assert can_sum(weights, terms), name
    total, mean, variance = mixed_sum(weights, terms, normalised)
    expected = plain_sum(exact[0], exact[1:], normalised)
    found = torch.autograd.grad(total, [weights, *terms], received, retain_graph=True)
    right = torch.autograd.grad(expected, exact, received.double())
    some = torch.autograd.grad(total, terms[-1:], received)
    pairs, like = list(zip(exact[1:], normalised, strict=True)), exact[1][0, :, 0, 0]
    means = [x.mean(dim=(0, 2, 3)) if own else torch.zeros_like(like) for x, own in pairs]
    variances = [x.var(dim=(0, 2, 3), correction=0) if own else torch.ones_like(like) for x, own in pairs]
    return {
        "sum": apart([total], [expected]),
        "moments": apart([mean, variance], [torch.stack(means), torch.stack(variances)]),
        "gradients": apart(found, right),
        "one gradient": apart(some, right[-1:]),
    }


if __name__ == "__main__":
    native.library = lambda: None  # type: ignore[assignment]  # not above: pytest imports every module for doctests
    device = torch.device("cpu")
    found = {name: distances(name) for name in sys.argv[1:]}
    print(json.dumps({"fault": _fault(device), **found}))
