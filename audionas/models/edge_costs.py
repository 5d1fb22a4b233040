"""What each operation on each edge of a CNN cell costs, measured in networks that are built: parameters and MACs.

A network's parameters and MACs are those outside the cells' operations plus those of every kept operation, summed
over all cells of its kind. What an operation costs depends on the kind of cell (channels, sizes) and on whether the
edge starts at a cell's input (stride 2 in a reduction cell) or at an inner node. So one network an operation tells
all; what is left outside the operations must be the same in each, and that is checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from audionas.errors import RunError
from audionas.models import GenotypeNetwork, build_model, n_parameters
from audionas.models.cnn_from_genotype import GenotypeCell
from audionas.models.macs import FLOPS_OF_A_MAC
from audionas.spaces import CnnCellSpace
from audionas.spaces.cnn_cell import KINDS
from audionas.spaces.cnn_genotype import Cell
from audionas.spaces.limited_derivation import AdditiveCost

COSTS = ("parameters", "macs")
_N_INPUTS = 2  # sources 0 and 1 are the cell's inputs
_Found = dict[tuple[str, bool], int]  # (kind of cell, whether the edge starts at an inner node) -> cost


@dataclass(frozen=True)
class EdgeCosts:
    """The additive costs of a space's networks: trainable parameters, and MACs of one clip."""

    parameters: AdditiveCost
    macs: AdditiveCost


def measure_edge_costs(space: CnnCellSpace, input_shape: Sequence[int], n_outputs: int) -> EdgeCosts:
    """Measure one network an operation, without values.

    Args:
        input_shape: (channels, features, frames).

    Raises:
        RunError: the costs do not add up, because a part outside the operations depends on them.
    """
    probes = {op: _probe(space, op, tuple(input_shape), n_outputs) for op in space.real_ops}
    return EdgeCosts(*(_additive(space, {op: probe[name] for op, probe in probes.items()}, name) for name in COSTS))


def _additive(space: CnnCellSpace, probes: dict[str, tuple[int, _Found]], name: str) -> AdditiveCost:
    constants = {constant for constant, _ in probes.values()}
    if len(constants) > 1:
        raise RunError(
            f"space {space.name!r}: {name} outside the operations are {sorted(constants)}, they depend on the "
            "operations; limits cannot be exact here; this is a defect, please report it"
        )
    of = {
        kind: np.array(
            [[probes[op][1].get((kind, source >= _N_INPUTS), 0) for op in space.real_ops] for _, source in space.edges],
            dtype=np.int64,
        )
        for kind in KINDS
    }
    return AdditiveCost(constants.pop(), of)


def _probe(space: CnnCellSpace, op: str, input_shape: tuple[int, ...], n_outputs: int) -> dict[str, tuple[int, _Found]]:
    """Of the network with one operation everywhere: what is outside the operations, and each edge's cost."""
    cell = _probe_cell(space, op)
    with torch.device("meta"):
        network = build_model(space.make(cell, cell), input_shape=input_shape, n_classes=n_outputs).eval()
        assert isinstance(network, GenotypeNetwork)
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            network(torch.empty(1, *input_shape))
    flops = {name: sum(found.values()) for name, found in counter.get_flop_counts().items()}
    edges: dict[str, _Found] = {name: {} for name in COSTS}
    inside = dict.fromkeys(COSTS, 0)
    for prefix, prepared in network.cells.named_children():
        assert isinstance(prepared.cell, GenotypeCell)
        costs = [
            (n_parameters(module), flops.get(f"GenotypeNetwork.cells.{prefix}.cell.ops.{k}", 0) // FLOPS_OF_A_MAC)
            for k, module in enumerate(prepared.cell.ops)
        ]
        # all edges of a class cost the same within a cell, so the last one speaks for them
        last = {source >= _N_INPUTS: cost for (_, source), cost in zip(cell, costs, strict=True)}
        for position, name in enumerate(COSTS):
            inside[name] += sum(cost[position] for cost in costs)
            for is_inner, cost in last.items():
                key = (str(prepared.kind), is_inner)
                edges[name][key] = edges[name].get(key, 0) + cost[position]
    whole = {"parameters": n_parameters(network), "macs": counter.get_total_flops() // FLOPS_OF_A_MAC}
    return {name: (whole[name] - inside[name], edges[name]) for name in COSTS}


def _probe_cell(space: CnnCellSpace, op: str) -> Cell:
    """A cell whose nodes read inputs and, from the second node on, the first inner node."""
    cell: list[tuple[str, int]] = []
    for node in range(2, space.nodes + 2):
        order = [2, 0, 1, *range(3, node)] if node > 2 else [0, 1]
        cell += [(op, source) for source in sorted(order[: space.kept(node)])]
    return tuple(cell)
