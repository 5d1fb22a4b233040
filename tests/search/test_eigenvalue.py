"""The dominant eigenvalue against the dense Hessian."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from audionas.models import build_supernet
from audionas.models.supernet import batch_statistics
from audionas.search.eigenvalue import dominant_eigenvalue
from audionas.spaces import CnnCellSpace


@pytest.fixture(autouse=True)
def _double_precision() -> Iterator[None]:
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("values", [(5.0, 1.0, -2.0), (1.0, -6.0, 3.0), (-1.0, -2.0, -9.0)])
def test_it_is_the_largest_eigenvalue_with_its_sign(values: tuple[float, ...]) -> None:
    basis, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    matrix = torch.from_numpy(basis @ np.diag(values) @ basis.T)
    x = nn.Parameter(torch.zeros(3))
    assert dominant_eigenvalue(0.5 * x @ matrix @ x, [x]) == pytest.approx(
        max(values), abs=0.02 * max(map(abs, values))
    )


def test_of_a_supernets_alphas_it_is_that_of_the_dense_hessian() -> None:
    space = CnnCellSpace(
        nodes=1, ops=("skip_connect", "sep_conv_3x3"), macro={"n_cells": 2, "channels": 2, "reduction_at": ["1/2"]}
    )
    supernet = build_supernet(space, (1, 8, 8), 3)
    for alphas in supernet.arch_parameters():
        alphas.data.normal_()
    x, targets = torch.randn(6, 1, 8, 8), torch.randint(3, (6,))
    with batch_statistics(supernet):
        found = dominant_eigenvalue(cross_entropy(supernet(x), targets), supernet.arch_parameters())

        def loss(normal: Tensor, reduce: Tensor) -> Tensor:
            values = {"alphas_normal": normal, "alphas_reduce": reduce}
            return cross_entropy(functional_call(supernet, values, (x,)), targets)

        blocks = torch.autograd.functional.hessian(loss, tuple(p.detach() for p in supernet.arch_parameters()))
    size = [p.numel() for p in supernet.arch_parameters()]
    dense = torch.cat([torch.cat([b.reshape(n, -1) for b in row], 1) for n, row in zip(size, blocks, strict=True)])
    assert found == pytest.approx(float(np.linalg.eigvalsh(dense.numpy()).max()), rel=0.02)


def test_a_loss_that_is_linear_has_none() -> None:
    x = nn.Parameter(torch.ones(3))
    assert dominant_eigenvalue(2 * x.sum(), [x]) == 0.0
