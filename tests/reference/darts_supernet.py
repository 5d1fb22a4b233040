"""The DARTS supernet written plainly, as the paper has it: every edge runs every operation, one after another.

Source: Liu, Simonyan, Yang 2019, "DARTS: Differentiable Architecture Search", section 2 and appendix A. Nothing here is
shared with audionas, so the supernet can be held against it, in numbers and in time.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

OPS = (
    "none",
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)


def norm(channels: int) -> nn.Module:
    return nn.BatchNorm2d(channels, affine=False)


def depthwise(channels: int, kernel: int, stride: int, dilation: int) -> list[nn.Module]:
    padding = dilation * (kernel // 2)
    return [
        nn.ReLU(),
        nn.Conv2d(channels, channels, kernel, stride, padding, dilation, groups=channels, bias=False),
        nn.Conv2d(channels, channels, 1, bias=False),
        norm(channels),
    ]


class Zeros(nn.Module):
    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :, :: self.stride, :: self.stride].mul(0.0)


class Halved(nn.Module):
    """A skip at stride 2. Odd sizes, which DARTS has not, get one row and column of zeros for the shifted half."""

    def __init__(self, before: int, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(before, channels // 2, 1, stride=2, bias=False)
        self.second = nn.Conv2d(before, channels - channels // 2, 1, stride=2, bias=False)
        self.norm = norm(channels)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(x)
        shifted = functional.pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2))[:, :, 1:, 1:]
        return self.norm(torch.cat([self.first(x), self.second(shifted)], dim=1))


def make_op(name: str, channels: int, stride: int) -> nn.Module:
    if name == "none":
        return Zeros(stride)
    if name == "skip_connect":
        return nn.Identity() if stride == 1 else Halved(channels, channels)
    if name == "max_pool_3x3":
        return nn.Sequential(nn.MaxPool2d(3, stride, 1), norm(channels))
    if name == "avg_pool_3x3":
        return nn.Sequential(nn.AvgPool2d(3, stride, 1, count_include_pad=False), norm(channels))
    kernel = int(name[-1])
    if name.startswith("dil"):
        return nn.Sequential(*depthwise(channels, kernel, stride, 2))
    return nn.Sequential(*depthwise(channels, kernel, stride, 1), *depthwise(channels, kernel, 1, 1))


class Mixed(nn.Module):
    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.ops = nn.ModuleList(make_op(name, channels, stride) for name in OPS)

    def forward(self, x: Tensor, weights: Tensor) -> Tensor:
        return sum(w * op(x) for w, op in zip(weights, self.ops, strict=True))


def adapter(before: int, channels: int) -> nn.Module:
    return nn.Sequential(nn.ReLU(), nn.Conv2d(before, channels, 1, bias=False), norm(channels))


class Cell(nn.Module):
    def __init__(self, before: tuple[int, int], channels: int, nodes: int, reduces: bool, after_reduction: bool) -> None:
        super().__init__()
        self.reduces, self.nodes = reduces, nodes
        self.adapt0 = Halved(before[0], channels) if after_reduction else adapter(before[0], channels)
        self.adapt1 = adapter(before[1], channels)
        self.edges = nn.ModuleList(
            Mixed(channels, 2 if reduces and j < 2 else 1) for i in range(nodes) for j in range(2 + i)
        )

    def forward(self, s0: Tensor, s1: Tensor, weights: Tensor) -> Tensor:
        states, first = [self.adapt0(s0), self.adapt1(s1)], 0
        for _ in range(self.nodes):
            states.append(sum(self.edges[first + j](h, weights[first + j]) for j, h in enumerate(states)))
            first += len(states) - 1
        return torch.cat(states[2:], dim=1)


class DartsSupernet(nn.Module):
    """(batch, inputs, height, width) -> logits. Parameters in the order of the layers, then the two alphas."""

    def __init__(self, inputs: int, classes: int, n_cells: int = 3, channels: int = 6, nodes: int = 4) -> None:
        super().__init__()
        width = 3 * channels
        self.stem = nn.Sequential(nn.Conv2d(inputs, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))
        self.cells = nn.ModuleList()
        before, reduced = (width, width), False
        for index in range(n_cells):
            reduces = index in (n_cells // 3, 2 * n_cells // 3)
            channels *= 2 if reduces else 1
            self.cells.append(Cell(before, channels, nodes, reduces, reduced))
            before, reduced = (before[1], nodes * channels), reduces
        self.classifier = nn.Linear(before[1], classes)
        n_edges = sum(2 + i for i in range(nodes))
        self.alphas = nn.ParameterList(nn.Parameter(1e-3 * torch.randn(n_edges, len(OPS))) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        s0 = s1 = self.stem(x)
        normal, reduce = (torch.softmax(alphas, dim=-1) for alphas in self.alphas)
        for cell in self.cells:
            s0, s1 = s1, cell(s0, s1, reduce if cell.reduces else normal)
        return self.classifier(functional.adaptive_avg_pool2d(s1, 1).flatten(1))
