"""The derived network: only the operations that a genotype keeps.

Source: Liu et al. 2019 (DARTS), its release's model for evaluation: affine BN, pools without BN,
drop-path on edges that are not identities, auxiliary classifier after cell floor(2L/3).
Difference: the auxiliary classifier pools adaptively to 2x2, so that any input shape works.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from audionas.models.cnn_network import CnnNetwork
from audionas.ops import build_cnn_op
from audionas.spaces.cnn_genotype import Cell, CnnGenotype, CnnMacro, node_edges


class GenotypeCell(nn.Module):
    """One cell of fixed operations."""

    def __init__(
        self,
        cell: Cell,
        concat: tuple[int, ...],
        edges_per_node: int,
        channels: int,
        stride: int,
        causal: bool = False,
    ) -> None:
        super().__init__()
        self.nodes = node_edges(cell, edges_per_node)
        self.concat = concat
        self.drop_path = 0.0
        self.ops = nn.ModuleList(
            build_cnn_op(op, channels, stride if source < 2 else 1, True, causal) for op, source in cell
        )

    def forward(self, s0: Tensor, s1: Tensor) -> Tensor:
        """Two (batch, channels, features, frames) -> (batch, channels * outputs, features', frames')."""
        states = [s0, s1]
        ops = iter(self.ops)
        for edges in self.nodes:
            terms = [self._edge(next(ops), states[source]) for _, source in edges]
            states.append(torch.stack(terms).sum(0) if len(terms) > 2 else sum(terms[1:], terms[0]))
        return torch.cat([states[node] for node in self.concat], dim=1)

    def _edge(self, op: nn.Module, x: Tensor) -> Tensor:
        y = cast(Tensor, op(x))
        if self.training and self.drop_path > 0 and not isinstance(op, nn.Identity):
            keep = 1.0 - self.drop_path
            y = y * (torch.rand(y.shape[0], 1, 1, 1, device=y.device) < keep) / keep
        return y


class AuxiliaryHead(nn.Sequential):
    """DARTS's second classifier, for training only."""

    def __init__(self, channels: int, n_classes: int) -> None:
        super().__init__(
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Conv2d(channels, 128, 1, bias=False),
            nn.BatchNorm2d(128),
            nn.ReLU(),
            nn.Conv2d(128, 768, 2, bias=False),
            nn.BatchNorm2d(768),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(768, n_classes),
        )


class GenotypeNetwork(CnnNetwork):
    """The network that a genotype describes."""

    def __init__(
        self,
        genotype: CnnGenotype,
        macro: CnnMacro,
        input_shape: tuple[int, int, int],
        n_classes: int,
        auxiliary: bool,
        drop_path: float,
    ) -> None:
        def make_cell(kind: str, channels: int) -> nn.Module:
            cell, concat = getattr(genotype, kind), getattr(genotype, f"{kind}_concat")
            stride = 2 if kind == "reduce" else 1
            return GenotypeCell(cell, concat, genotype.edges_per_node, channels, stride, macro.causal)

        n_outputs = {"normal": len(genotype.normal_concat), "reduce": len(genotype.reduce_concat)}
        super().__init__(macro, input_shape, n_classes, make_cell, n_outputs, affine=True)
        self.auxiliary_cell = 2 * macro.n_cells // 3
        width = self._width(self.auxiliary_cell, n_outputs)
        self.auxiliary = AuxiliaryHead(width, n_classes) if auxiliary else None
        self.set_drop_path(drop_path)

    def set_drop_path(self, probability: float) -> None:
        """Set the probability with which training drops an edge; DARTS raises it linearly over epochs."""
        for module in self.modules():
            if isinstance(module, GenotypeCell):
                module.drop_path = probability

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(batch, channels, features, frames) float32 -> logits (batch, classes); `lengths` masks the padding."""
        return self.classify(self.cell_outputs(x)[-1], lengths)

    def forward_with_auxiliary(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Logits, and the auxiliary classifier's logits when there is one."""
        outputs = self.cell_outputs(x)
        extra = self.auxiliary(outputs[self.auxiliary_cell]) if self.auxiliary is not None else None
        return self.classify(outputs[-1], lengths), extra

    def _width(self, index: int, n_outputs: dict[str, int]) -> int:
        reductions = sum(1 for at in self.macro.reduction_cells if at <= index)
        kind = "reduce" if index in self.macro.reduction_cells else "normal"
        return int(n_outputs[kind] * self.macro.channels * 2**reductions)
