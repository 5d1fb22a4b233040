"""The weights by which a one-shot search kept the operations of its genotype, for the drawn cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audionas.report.genotype_changes import logged
from audionas.report.one_shot_sections import op_weights
from audionas.report.run_files import JsonObject, SearchRun
from audionas.spaces.cnn_genotype import node_edges

KINDS = ("normal", "reduce")


def kept_weights(search: SearchRun, cells: Mapping[str, Any], epoch: object = None) -> dict[str, tuple[float, ...]]:
    """By cell, the weight of each kept operation on its edge; empty where no epoch on record has this genotype.

    Args:
        cells: of the genotype.
        epoch: whose genotype it is, counted from 0, where that is known; else the last epoch that has it.
    """
    alike = [line for line in logged(search) if line.get("alphas") and _kept(line["genotype"]) == _kept(cells)]
    alike = [line for line in alike if line["epoch"] == epoch] or alike
    if not alike or not any(_kept(cells)):
        return {}
    found = {kind: _of_cell(alike[-1], kind, cells) for kind in KINDS if cells.get(kind)}
    return {kind: weights for kind, weights in found.items() if weights}


def _kept(cells: Mapping[str, Any]) -> list[list[list[object]]]:
    return [[[str(op), int(source)] for op, source in cells.get(kind) or []] for kind in KINDS]


def _of_cell(line: JsonObject, kind: str, cells: Mapping[str, Any]) -> tuple[float, ...]:
    """One cell's weights; none where an edge or an operation has none."""
    edges, ops = [tuple(edge) for edge in line.get("edges") or []], list(line.get("ops") or [])
    weights, found = op_weights(line, kind), []
    for node, block in enumerate(node_edges(cells[kind], int(cells.get("edges_per_node", 2))), start=2):
        for op, source in block:
            if (node, source) not in edges or op not in ops:
                return ()
            found.append(float(weights[edges.index((node, source)), ops.index(op)]))
    return tuple(found)
