"""The DARTS supernet: every edge mixes all operations, weighted by the softmax of its alphas.

Source: Liu et al. 2019 (DARTS), equation 2 and the release: BN without affine parameters, pools followed
by BN, alphas shared by all cells of a kind and drawn as 1e-3 times a standard normal.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from audionas.models.cnn_network import CnnNetwork
from audionas.ops import NONE, POOLS, build_cnn_op
from audionas.spaces import CnnCellSpace, CnnGenotype, CnnMacro
from audionas.spaces.cnn_cell import KINDS
from audionas.spaces.cnn_genotype import Cell, node_edges


class MixedOp(nn.Module):
    """All candidate operations of one edge."""

    def __init__(self, names: tuple[str, ...], channels: int, stride: int, causal: bool = False) -> None:
        super().__init__()
        self.names = names
        self.ops = nn.ModuleList(self._build(name, channels, stride, causal) for name in names)

    @staticmethod
    def _build(name: str, channels: int, stride: int, causal: bool) -> nn.Module:
        op = build_cnn_op(name, channels, stride, False, causal)
        return nn.Sequential(op, nn.BatchNorm2d(channels, affine=False)) if name in POOLS else op

    def forward(self, x: Tensor, weights: Tensor) -> Tensor:
        """(batch, channels, features, frames), weights (ops,) -> their weighted sum."""
        terms = [weights[k] * op(x) for k, op in enumerate(self.ops) if self.names[k] != NONE]
        return _sum(terms)

    def single(self, x: Tensor, name: str) -> Tensor:
        """The output of one operation alone."""
        return self.ops[self.names.index(name)](x)  # type: ignore[no-any-return]


class MixedCell(nn.Module):
    """A cell in which every node sums the mixed operations from all earlier nodes."""

    def __init__(self, space: CnnCellSpace, channels: int, stride: int, causal: bool = False) -> None:
        super().__init__()
        self.edges = space.edges
        self.edges_per_node = space.edges_per_node
        self.n_nodes = space.nodes
        self.ops = nn.ModuleList(
            MixedOp(space.ops, channels, stride if source < 2 else 1, causal) for _, source in space.edges
        )

    def forward(self, s0: Tensor, s1: Tensor, weights: Tensor, kept: Cell | None = None) -> Tensor:
        """Weights (edges, ops) mix the operations; with `kept`, only those edges run, each one operation."""
        states = [s0, s1]
        chosen = node_edges(kept, self.edges_per_node) if kept is not None else None
        for n in range(self.n_nodes):
            first = sum(2 + i for i in range(n))
            if chosen is None:
                terms = [self.ops[first + j](h, weights[first + j]) for j, h in enumerate(states)]
            else:
                terms = [self.ops[first + j].single(states[j], op) for op, j in chosen[n]]  # type: ignore[operator]
            states.append(_sum(terms))
        return torch.cat(states[2:], dim=1)


class CnnSupernet(CnnNetwork):
    """All networks of a space at once; `arch_parameters()` are the alphas, one matrix a cell kind.

    `alphas_normal` and `alphas_reduce`: (edges, ops), float32, logits.
    """

    def __init__(self, space: CnnCellSpace, macro: CnnMacro, input_shape: tuple[int, int, int], n_classes: int) -> None:
        def make_cell(kind: str, channels: int) -> nn.Module:
            return MixedCell(space, channels, 2 if kind == "reduce" else 1, macro.causal)

        super().__init__(macro, input_shape, n_classes, make_cell, dict.fromkeys(KINDS, space.nodes), False)
        self.space = space
        shape = (len(space.edges), len(space.ops))
        self.alphas_normal = nn.Parameter(1e-3 * torch.randn(shape))
        self.alphas_reduce = nn.Parameter(1e-3 * torch.randn(shape))

    def arch_parameters(self) -> list[nn.Parameter]:
        """The alphas, normal first: the order is part of the contract (optimiser state is kept by position)."""
        return [self.alphas_normal, self.alphas_reduce]

    def alphas(self, kind: str) -> Tensor:
        """The alphas of a cell kind, (edges, ops)."""
        return self.alphas_normal if kind == "normal" else self.alphas_reduce

    def forward(self, x: Tensor, lengths: Tensor | None = None, genotype: CnnGenotype | None = None) -> Tensor:
        """(batch, channels, features, frames) -> logits; with `genotype`, of that sub-network alone.

        `lengths` (batch,): own frames of each clip; the last average then leaves the padding out.
        """
        weights = {kind: torch.softmax(self.alphas(kind), dim=-1) for kind in KINDS}
        outputs = self.cell_outputs(
            x, lambda kind: (weights[kind], getattr(genotype, kind) if genotype is not None else None)
        )
        return self.classify(outputs[-1], lengths)

    def genotype(self) -> CnnGenotype:
        """Derivation: a node keeps the inputs whose strongest operation (not `none`) weighs most.

        Source: Liu et al. 2019, section 2.4; weights are the softmax over all operations, `none` included.
        """
        return self.space.make(self._derive("normal"), self._derive("reduce"))

    def _derive(self, kind: str) -> Cell:
        cell = []
        for node, strengths in self.strengths(kind).items():
            ranked = sorted(strengths, key=lambda row: (-row[0], row[1]))[: self.space.kept(node)]
            cell += [(op, source) for _, source, op, _ in sorted(ranked, key=lambda row: row[1])]
        return tuple(cell)

    def strengths(self, kind: str) -> dict[int, list[tuple[float, int, str, float]]]:
        """Per node and input: weight of the strongest operation, input, its name, margin to the runner-up."""
        table: dict[int, list[tuple[float, int, str, float]]] = {}
        weights = torch.softmax(self.alphas(kind).detach().double(), dim=-1).tolist()
        for (node, source), row in zip(self.space.edges, weights, strict=True):
            ranked = sorted(
                ((w, op) for w, op in zip(row, self.space.ops, strict=True) if op != NONE),
                key=lambda t: -t[0],
            )
            margin = ranked[0][0] - ranked[1][0] if len(ranked) > 1 else 1.0
            table.setdefault(node, []).append((ranked[0][0], source, ranked[0][1], margin))
        return table


@contextmanager
def batch_statistics(network: nn.Module) -> Iterator[None]:
    """Within: eval mode, but BN uses the batch's statistics and leaves its running ones alone.

    A sub-network of the supernet sees other activations than the mixture that the running statistics describe.
    """
    was_training = network.training
    network.eval()
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    kept = [(norm.running_mean, norm.running_var) for norm in norms]
    for norm in norms:
        norm.training, norm.track_running_stats = True, False
        norm.running_mean = norm.running_var = None
    try:
        yield
    finally:
        for norm, (mean, variance) in zip(norms, kept, strict=True):
            norm.running_mean, norm.running_var, norm.track_running_stats = mean, variance, True
        network.train(was_training)


def _sum(terms: list[Tensor]) -> Tensor:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total
