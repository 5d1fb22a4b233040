"""What the page says of one-shot algorithms beside DARTS: weights that are no softmax, a collapse, an evolution."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from audionas.report.blocks import Block, Notes, Picture, Pictures, Table
from audionas.report.curves import COLOURS, Line, alpha_weights, draw_lines
from audionas.report.quantities import score_text
from audionas.report.run_files import JsonObject, SearchRun
from audionas.spaces.cnn_genotype import node_edges
from audionas.training.measures import measures_of

_WEIGHTS = {
    "softmax": "softmax of the edge's alphas",
    "softmax, edges normalised": "softmax of the edge's alphas; the edges of a node weigh too, below",
    "gumbel softmax": "softmax of the edge's alphas, without the noise that the training adds",
    "binary gates": "softmax of the edge's alphas, by which the training draws one path at a time",
    "sigmoid": "sigmoid of each alpha, each for itself, so that they need not sum to 1",
}


def op_weights(epoch: JsonObject, kind: str) -> np.ndarray:
    """(edges, ops): the weights that the derivation read; of a line without them the softmax of the alphas."""
    logged = epoch.get("weights") or {}
    return np.asarray(logged[kind]) if kind in logged else alpha_weights(epoch["alphas"][kind])


def weights_text(epoch: JsonObject) -> str:
    """What a weight is, in words."""
    return _WEIGHTS.get(str(epoch.get("mixing", "softmax")), str(epoch.get("mixing")))


def alarm_blocks(search: SearchRun) -> list[Block]:
    """Why a search was stopped as collapsed."""
    alarm = (search.epochs[-1] if search.epochs else {}).get("alarm")
    if not alarm:
        return []
    took = f"the genotype is that of epoch {int(alarm['take']) + 1}"
    return [Notes((f"Collapse alarm: {alarm['why']}. The search was stopped there; {took}.",), is_alarm=True)]


def edge_notes(epoch: JsonObject) -> list[str]:
    """How the edges of each node weigh, where they are normalised."""
    edges = [(int(node), int(source)) for node, source in epoch.get("edges") or []]
    texts = []
    for kind, weights in (epoch.get("edge_weights") or {}).items():
        kept = _kept_edges(epoch, kind)
        parts = [
            f"{source} → {node}: {weight:.2f}{' (kept)' if (node, source) in kept else ''}"
            for (node, source), weight in zip(edges, weights, strict=True)
        ]
        texts.append(f"Weights of the edges, {kind} cell: {', '.join(parts)}.")
    return texts


def _kept_edges(epoch: JsonObject, kind: str) -> set[tuple[int, int]]:
    genotype = epoch.get("genotype") or {}
    nodes = node_edges(genotype.get(kind) or [], int(genotype.get("edges_per_node", 2)))
    return {(node, int(source)) for node, block in enumerate(nodes, start=2) for _, source in block}


def eigenvalue_pictures(epochs: Sequence[JsonObject], pictures: Pictures) -> list[Picture]:
    """The dominant eigenvalue over the epochs, where it was measured."""
    points = [(int(epoch["epoch"]) + 1, float(epoch["eigenvalue"])) for epoch in epochs if "eigenvalue" in epoch]
    if not points:
        return []
    line = Line("eigenvalue", tuple(n for n, _ in points), tuple(value for _, value in points), COLOURS[0])
    caption = "Of the Hessian of the alphas' loss, on one batch. A steep rise foretells a collapse (Zela et al. 2020)."
    return [pictures.make("Dominant eigenvalue", draw_lines([line], y_label="eigenvalue"), caption)]


def evolution_blocks(search: SearchRun) -> list[Block]:
    """The best path after each generation of an evolution over the supernet."""
    paths = [line for line in search.evolution if "number" in line]
    if not paths:
        return []
    main, _ = measures_of(search.run.get("data") or {})
    rows = []
    for generation in range(int(paths[-1]["generation"]) + 1):
        met = [line for line in paths if line["generation"] <= generation]
        best = min(met, key=lambda line: (-line[main.key], line["loss"], line["number"]))
        rows.append((
            str(generation + 1), str(len(met)), score_text(best[main.key]), f"{best['loss']:.3f}",
            str(best["hash"])[:12],
        ))  # fmt: skip
    head = ("generation", "paths scored so far", f"best {main.name}", "its balanced loss", "genotype")
    note = (
        "Each path was scored with the supernet's shared weights on the alphas part, which chose it: the best of so "
        "many scores is optimistic."
    )
    return [Table("Paths scored in the trained supernet", head, tuple(rows), note)]
