"""The skeleton that supernet and derived networks share: stem, stacked cells, pooling, classifier.

Source: Liu et al. 2019 (DARTS) and its release: stem of 3x3 convolution and BN, cell k reads cells k-1
and k-2, channels double in reduction cells, global average pooling, one linear layer.

Causal (`macro.causal`): in eval mode frame j of a cell's output reads the frames of the network's input up to
j * `macro.frame_stride` and no later one; `running_logits` are then what is known after each of these frames.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from audionas.models.frame_pooling import build_frame_pooling
from audionas.ops import FactorizedReduce, PaddedConv2d, ReluConvBn
from audionas.ops.gating import running_mean
from audionas.spaces import CnnMacro

MakeCell = Callable[[str, int], nn.Module]


class PreparedCell(nn.Module):
    """A cell behind the two preprocessing layers that bring its inputs to its size and channels."""

    def __init__(
        self,
        kind: str,
        channels_in: tuple[int, int],
        channels: int,
        cell: nn.Module,
        after_reduction: bool,
        affine: bool,
        causal: bool = False,
    ) -> None:
        super().__init__()
        self.kind = kind
        self.preprocess0: nn.Module
        if after_reduction:
            self.preprocess0 = FactorizedReduce(channels_in[0], channels, affine, causal)
        else:
            self.preprocess0 = ReluConvBn(channels_in[0], channels, affine)
        self.preprocess1 = ReluConvBn(channels_in[1], channels, affine)
        self.cell = cell

    def forward(self, s0: Tensor, s1: Tensor, *context: Any) -> Tensor:
        """Outputs of cells k-2 and k-1 -> (batch, channels * outputs, features', frames')."""
        return self.cell(self.preprocess0(s0), self.preprocess1(s1), *context)  # type: ignore[no-any-return]


class CnnNetwork(nn.Module):
    """Stem, `macro.n_cells` cells made by `make_cell(kind, channels)`, global pooling, classifier."""

    def __init__(
        self,
        macro: CnnMacro,
        input_shape: tuple[int, int, int],
        n_classes: int,
        make_cell: MakeCell,
        n_outputs: Mapping[str, int],
        affine: bool,
    ) -> None:
        super().__init__()
        self.macro = macro
        self.input_shape = input_shape
        width = macro.channels * macro.stem_multiplier
        conv = PaddedConv2d(input_shape[0], width, (3, 3), causal=macro.causal)
        self.stem = nn.Sequential(conv, nn.BatchNorm2d(width))
        self.cells = nn.ModuleList()
        before, last, channels, reduced = width, width, macro.channels, False
        for index in range(macro.n_cells):
            reduces = index in macro.reduction_cells
            channels *= 2 if reduces else 1
            kind = "reduce" if reduces else "normal"
            cell = make_cell(kind, channels)
            self.cells.append(PreparedCell(kind, (before, last), channels, cell, reduced, affine, macro.causal))
            before, last, reduced = last, n_outputs[kind] * channels, reduces
        self.n_features = last
        self.pooling = build_frame_pooling(macro.pooling, last) if macro.pooling != "mean" else None
        pooled = last if self.pooling is None else int(self.pooling.n_outputs)  # type: ignore[arg-type]
        self.classifier = nn.Linear(pooled, n_classes)

    def cell_outputs(self, x: Tensor, context: Callable[[str], tuple[Any, ...]] = lambda _: ()) -> list[Tensor]:
        """The output of every cell; `context(kind)` is handed to each cell beside its inputs."""
        s0 = s1 = self.stem(x)
        outputs = []
        for cell in self.cells:
            assert isinstance(cell, PreparedCell)
            s0, s1 = s1, self.run_cell(cell, s0, s1, *context(cell.kind))
            outputs.append(s1)
        return outputs

    def run_cell(self, cell: PreparedCell, *given: Any) -> Tensor:
        """The output of one cell."""
        return cell(*given)  # type: ignore[no-any-return]

    def running_logits(self, x: Tensor) -> Tensor:
        """(batch, channels, features, frames) -> the logits after each output frame, (batch, frames', classes).

        The pooling runs over the frames so far; the last row is what `forward` gives without `lengths`.
        Of a causal network in eval mode no row depends on later frames.
        """
        features = self.cell_outputs(x)[-1]
        if self.pooling is None:
            return self.classifier(running_mean(features.mean(dim=2)).transpose(1, 2))  # type: ignore[no-any-return]
        stops = range(1, features.shape[3] + 1)
        return torch.stack([self.classify(features[..., :stop]) for stop in stops], dim=1)

    def classify(self, features: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(batch, channels, features, frames) -> logits (batch, classes).

        With `lengths` (batch,), own frames of the network's input, the pooling leaves the padding out.
        """
        if lengths is None and self.pooling is None:
            return self.classifier(torch.mean(features, dim=(2, 3)))  # type: ignore[no-any-return]
        if lengths is None:
            return self._pooled_logits(features, None)
        own = (-(-lengths * features.shape[3] // self.input_shape[2])).clamp(1, features.shape[3])
        if self.pooling is not None:
            return self._pooled_logits(features, own)
        mask = torch.arange(features.shape[3], device=features.device)[None, :] < own[:, None]
        over_features = features.mean(dim=2)
        pooled = torch.where(mask[:, None, :], over_features, 0.0).sum(dim=2) / own[:, None]
        return self.classifier(pooled)  # type: ignore[no-any-return]

    def _pooled_logits(self, features: Tensor, own: Tensor | None) -> Tensor:
        assert self.pooling is not None
        frames = features.mean(dim=2).transpose(1, 2)
        return self.classifier(self.pooling(frames, own))  # type: ignore[no-any-return]
