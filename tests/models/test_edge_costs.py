"""Costs of operations on edges: their sum is what a network that is built costs, by another counter than ours."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from audionas.errors import RunError
from audionas.models import build_model, n_parameters
from audionas.models import edge_costs as module
from audionas.models.edge_costs import measure_edge_costs
from audionas.spaces import CnnCellSpace, CnnGenotype

OPS = ("none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3")
SHAPE = (2, 9, 13)


def counted_by_hooks(genotype: CnnGenotype) -> tuple[int, int]:
    """Parameters and MACs of a real pass: each convolution its kernel for every value it gives, linear its weights."""
    network = build_model(genotype, input_shape=SHAPE, n_classes=3).eval()
    macs = []

    def note(layer: nn.Module, _: object, y: torch.Tensor) -> None:
        if isinstance(layer, nn.Conv2d):
            kernel = layer.kernel_size[0] * layer.kernel_size[1] * layer.in_channels // layer.groups
            macs.append(y.numel() * kernel)
        elif isinstance(layer, nn.Linear):
            macs.append(y.numel() * layer.in_features)

    for layer in network.modules():
        layer.register_forward_hook(note)
    with torch.no_grad():
        network(torch.zeros(1, *SHAPE))
    return sum(p.numel() for p in network.parameters()), sum(macs)


@pytest.mark.parametrize(
    "nodes,edges_per_node,n_cells,reduction_at",
    [(1, 2, 2, ["1/2"]), (2, 2, 3, ["1/3", "2/3"]), (4, 2, 5, ["0", "1/3"]), (3, 1, 2, []), (3, 3, 3, ["1/3"])],
)
def test_the_costs_of_any_genotype_add_up(
    nodes: int, edges_per_node: int, n_cells: int, reduction_at: list[str]
) -> None:
    macro = {"n_cells": n_cells, "channels": 4, "reduction_at": reduction_at}
    space = CnnCellSpace(nodes=nodes, edges_per_node=edges_per_node, ops=OPS, macro=macro)
    costs = measure_edge_costs(space, SHAPE, 3)
    rng = np.random.default_rng(nodes)
    for _ in range(4):
        genotype = space.random(rng)
        found = (costs.parameters.total(space, genotype), costs.macs.total(space, genotype))
        assert found == counted_by_hooks(genotype)


def test_costs_that_do_not_add_up_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = iter([10, 10, 1, 1, 99] * 99)
    monkeypatch.setattr(module, "n_parameters", lambda network: next(sizes) + 0 * n_parameters(network))
    space = CnnCellSpace(nodes=1, ops=("skip_connect", "sep_conv_3x3"), macro={"n_cells": 1, "reduction_at": []})
    with pytest.raises(RunError, match=r"parameters outside the operations are \[.*\], they depend on the operations"):
        measure_edge_costs(space, SHAPE, 3)
