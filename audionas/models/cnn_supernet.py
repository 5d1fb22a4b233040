"""The DARTS supernet: every edge mixes all operations, weighted by the softmax of its alphas.

Source: Liu et al. 2019 (DARTS), equation 2 and the release: BN without affine parameters, pools followed
by BN, alphas shared by all cells of a kind and drawn as 1e-3 times a standard normal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from audionas.models.cnn_from_genotype import GenotypeNetwork
from audionas.models.cnn_network import CnnNetwork, PreparedCell
from audionas.models.mixed_cell import CellWeights, MixedCell
from audionas.models.mixed_op import MixedOp
from audionas.models.mixing import Mixing, PathMixing
from audionas.models.supernet import Supernet, batch_statistics
from audionas.ops import NONE, SKIP
from audionas.spaces import CnnCellSpace, CnnGenotype, CnnMacro, Genotype
from audionas.spaces.cnn_cell import KINDS
from audionas.spaces.cnn_genotype import Cell, node_edges
from audionas.spaces.genotype_file import cells_document


class CnnSupernet(CnnNetwork, Supernet):
    """All networks of a space at once; `arch_parameters()` are the alphas, one matrix a cell kind.

    `alphas_normal` and `alphas_reduce`: (edges, ops), float32, logits.
    """

    space: CnnCellSpace

    def __init__(
        self,
        space: CnnCellSpace,
        macro: CnnMacro,
        input_shape: tuple[int, int, int],
        n_classes: int,
        mixing: Mixing | None = None,
    ) -> None:
        def make_cell(kind: str, channels: int) -> nn.Module:
            return MixedCell(space, channels, 2 if kind == "reduce" else 1, how.partial, macro.causal)

        how = mixing or Mixing()
        super().__init__(macro, input_shape, n_classes, make_cell, dict.fromkeys(KINDS, space.nodes), False)
        self.space = space
        self.mixing = how
        shape = (len(space.edges), len(space.ops))
        self.alphas_normal = nn.Parameter(1e-3 * torch.randn(shape))
        self.alphas_reduce = nn.Parameter(1e-3 * torch.randn(shape))
        if how.normalises_edges:
            self.betas_normal = nn.Parameter(1e-3 * torch.randn(shape[0]))
            self.betas_reduce = nn.Parameter(1e-3 * torch.randn(shape[0]))

    def arch_parameters(self) -> list[nn.Parameter]:
        """Alphas, normal first, then betas: the order is part of the contract (optimiser state is kept by position)."""
        betas = [self.betas_normal, self.betas_reduce] if self.mixing.normalises_edges else []
        return [self.alphas_normal, self.alphas_reduce, *betas]

    def alphas(self, kind: str) -> Tensor:
        """The alphas of a cell kind, (edges, ops)."""
        return self.alphas_normal if kind == "normal" else self.alphas_reduce

    def forward(self, x: Tensor, lengths: Tensor | None = None, genotype: CnnGenotype | None = None) -> Tensor:
        """(batch, channels, features, frames) -> logits; with `genotype`, of that sub-network alone.

        `lengths` (batch,): own frames of each clip; the last average then leaves the padding out.
        """
        weights = {kind: self._weights(kind) for kind in KINDS}
        outputs = self.cell_outputs(
            x, lambda kind: (weights[kind], getattr(genotype, kind) if genotype is not None else None)
        )
        return self.classify(outputs[-1], lengths)

    def run_cell(self, cell: PreparedCell, *given: Any) -> Tensor:
        """The output of one cell, which is all that is kept of it if the supernet recomputes."""
        return self.run(cell, *given, of=cell)  # type: ignore[no-any-return]

    def _weights(self, kind: str) -> CellWeights:
        alphas = self.alphas(kind)
        if not (self.mixing.is_sparse and self.training):
            return CellWeights(self.mixed(alphas), self.edge_weights(kind))
        ops, computed = self.mixing.draw(alphas)
        if ops.is_meta:  # costs are counted there: of every edge the largest operations
            cell = next(m.cell for m in self.cells if isinstance(m, PreparedCell) and m.kind == kind)
            largest = [op.largest(self.mixing.n_computed) for op in cell.modules() if isinstance(op, MixedOp)]
            return CellWeights(ops, None, tuple(map(tuple, largest)))
        assert computed is not None
        return CellWeights(ops, None, tuple(map(tuple, computed.tolist())))

    def edge_weights(self, kind: str) -> Tensor | None:
        """(edges,): the softmax of the betas over the edges of each node; None where edges are not normalised.

        Source: Xu et al. 2020 (PC-DARTS), equation 2.
        """
        if not self.mixing.normalises_edges:
            return None
        betas = self.betas_normal if kind == "normal" else self.betas_reduce
        nodes = torch.split(betas, [2 + n for n in range(self.space.nodes)])
        return torch.cat([torch.softmax(each, dim=0) for each in nodes])

    def genotype(self) -> CnnGenotype:
        """Derivation: a node keeps the inputs whose strongest operation (not `none`) weighs most.

        Where edges are normalised, an operation's strength is its weight times that of its edge.

        Sources: Liu et al. 2019, section 2.4; Xu et al. 2020 (PC-DARTS), section 3.3.
        Weights are those of `mixing.decided`, over all operations, `none` included.
        """
        return self.space.make(self._derive("normal"), self._derive("reduce"))

    def _derive(self, kind: str) -> Cell:
        cell = []
        for node, strengths in self.strengths(kind).items():
            ranked = sorted(strengths, key=lambda row: (-row[0], row[1]))[: self.space.kept(node)]
            cell += [(op, source) for _, source, op, _ in sorted(ranked, key=lambda row: row[1])]
        return tuple(cell)

    def strengths(self, kind: str) -> dict[int, list[tuple[float, int, str, float]]]:
        """Per node and input: strength of the strongest operation, input, its name, margin to the runner-up.

        The strength is the operation's weight, times that of its edge where edges are normalised; the margin is
        between weights of operations.
        """
        table: dict[int, list[tuple[float, int, str, float]]] = {}
        weights = self.mixing.decided(self.alphas(kind).detach().double()).tolist()
        edges = self.edge_weights(kind)
        shares = [1.0] * len(weights) if edges is None else edges.detach().double().tolist()
        for (node, source), row, share in zip(self.space.edges, weights, shares, strict=True):
            ranked = sorted(
                ((w, op) for w, op in zip(row, self.space.ops, strict=True) if op != NONE),
                key=lambda t: -t[0],
            )
            margin = ranked[0][0] - ranked[1][0] if len(ranked) > 1 else 1.0
            table.setdefault(node, []).append((share * ranked[0][0], source, ranked[0][1], margin))
        return table

    def describe(self, input_shape: Sequence[int], n_classes: int, genotype: Genotype | None = None) -> dict[str, Any]:
        """Alphas, entropy (mean over edges, nats), margins of kept edges, skips, genotype, parameters."""
        genotype = genotype or self.genotype()
        assert isinstance(genotype, CnnGenotype)
        alphas = {} if isinstance(self.mixing, PathMixing) else self._describe_alphas(genotype)
        shape = (input_shape[0], input_shape[1], input_shape[2])
        network = GenotypeNetwork(genotype, genotype.macro, shape, n_classes, False, 0.0)
        return {
            "ops": list(self.space.ops),
            "edges": [list(edge) for edge in self.space.edges],
            **alphas,
            "skips": sum(op == SKIP for op, _ in genotype.normal),
            "skips_of": len(genotype.normal),
            "genotype": cells_document(genotype),
            "parameters": sum(parameter.numel() for parameter in network.parameters()),
        }

    def _describe_alphas(self, genotype: CnnGenotype) -> dict[str, Any]:
        found: dict[str, Any] = {
            "mixing": self.mixing.name,
            "alphas": {kind: self.alphas(kind).detach().cpu().tolist() for kind in KINDS},
            "entropy": {kind: self._entropy(kind) for kind in KINDS},
            "margins": {kind: self._margins(kind, genotype) for kind in KINDS},
        }
        if self.mixing.name != Mixing.name:
            weights = {kind: self.mixing.decided(self.alphas(kind).detach()) for kind in KINDS}
            found["weights"] = {kind: each.cpu().tolist() for kind, each in weights.items()}
        if self.mixing.normalises_edges:
            edges = {kind: cast(Tensor, self.edge_weights(kind)) for kind in KINDS}
            found["edge_weights"] = {kind: each.detach().cpu().tolist() for kind, each in edges.items()}
        return found

    def _entropy(self, kind: str) -> float:
        return float(self.mixing.entropy(self.alphas(kind).detach().double()).mean())

    def _margins(self, kind: str, genotype: CnnGenotype) -> list[float]:
        nodes = node_edges(getattr(genotype, kind), genotype.edges_per_node)
        return [
            margin
            for edges, rows in zip(nodes, self.strengths(kind).values(), strict=True)
            for _, source, _, margin in rows
            if source in {kept for _, kept in edges}
        ]


__all__ = ["CellWeights", "CnnSupernet", "MixedCell", "MixedOp", "batch_statistics"]
