"""A network of CNN cells as a row of blocks: input, stem, cells, pooling, classifier, with the sizes of the maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

from matplotlib.patches import FancyArrowPatch

from audionas.quantities import count_text
from audionas.report.cells import LETTER, LINE, MARGIN, Box, rounded_box
from audionas.report.op_colours import mixed_with_white
from audionas.report.svg import FONT_SIZE
from audionas.spaces import CnnGenotype

ROW_WIDTH, BLOCK_HEIGHT, GAP, LINE_HEIGHT, ROW_GAP = 480.0, 26.0, 24.0, 12.0, 22.0
SMALL = 0.8 * FONT_SIZE
_COLOURS = {"normal": "#2166ac", "reduce": "#c2570c", "pooling": "#1b7837", "other": "#4a4f57"}
_POOLINGS = {"mean": "mean", "max": "maximum", "statistics": "mean and sd", "attention": "attention"}


@dataclass(frozen=True)
class NetworkBlock:
    """One block: what it is, the lines below it, and the kind that gives its colour."""

    label: str
    lines: tuple[str, ...] = ()
    kind: str = "other"


@dataclass(frozen=True)
class BlocksLayout:
    """Where the blocks of a network stand, in points from the top left corner."""

    width: float
    height: float
    blocks: tuple[NetworkBlock, ...]
    boxes: tuple[Box, ...]


def blocks_of(genotype: CnnGenotype, input_shape: Sequence[int] | None, n_outputs: int | None) -> list[NetworkBlock]:
    """The blocks in order; equal cells in a row are one block.

    Args:
        input_shape: (channels, features, frames), where it is known; else no sizes are given but channels.
    """
    macro = genotype.macro
    size = None if input_shape is None else (input_shape[1], input_shape[2])
    blocks = [
        NetworkBlock("input", (*_front_end(genotype), *([_size(input_shape[0], size)] if input_shape else []))),
        NetworkBlock("stem 3x3", (_size(macro.channels * macro.stem_multiplier, size),)),
    ]
    kinds = ["reduce" if index in macro.reduction_cells else "normal" for index in range(macro.n_cells)]
    channels, width = macro.channels, 0
    for kind, members in groupby(kinds):
        n_cells = len(list(members))
        for _ in range(n_cells if kind == "reduce" else 0):
            channels *= 2
            size = None if size is None else (-(-size[0] // 2), -(-size[1] // 2))
        width = len(getattr(genotype, f"{kind}_concat")) * channels
        name = "normal cell" if kind == "normal" else "reduction cell"
        label = name if n_cells == 1 else f"{n_cells} × {name}s"
        blocks.append(NetworkBlock(label, (_size(width, size),), kind))
    pooled = 2 * width if macro.pooling == "statistics" else width
    outputs = () if n_outputs is None else (count_text(n_outputs, "output"),)
    return [
        *blocks,
        NetworkBlock(_POOLINGS[macro.pooling], (count_text(pooled, "value"),), "pooling"),
        NetworkBlock("linear", outputs),
    ]


def lay_out_blocks(blocks: Sequence[NetworkBlock]) -> BlocksLayout:
    """Places in rows, left to right; a row is at most `ROW_WIDTH` wide, and never empty."""
    boxes: list[Box] = []
    x = y = MARGIN
    lowest = 0
    for block in blocks:
        width = max([len(block.label) * LETTER + 12, *(len(line) * 0.8 * LETTER + 2 for line in block.lines)])
        if boxes and x + width > ROW_WIDTH:
            x, y, lowest = MARGIN, y + BLOCK_HEIGHT + lowest * LINE_HEIGHT + ROW_GAP, 0
        boxes.append(Box(block.label, x, y, width, BLOCK_HEIGHT))
        x += width + GAP
        lowest = max(lowest, len(block.lines))
    height = boxes[-1].y + BLOCK_HEIGHT + lowest * LINE_HEIGHT + MARGIN
    width = max(box.right for box in boxes) + (GAP / 3 + 2 if boxes[-1].y > boxes[0].y else 0) + MARGIN
    return BlocksLayout(width, height, tuple(blocks), tuple(boxes))


def paint_blocks(axes: Any, layout: BlocksLayout) -> None:
    """Draw them onto `axes_in_points`; to be called under `drawing()`."""
    for before, after in pairwise(layout.boxes):
        _connect(axes, before, after)
    for block, box in zip(layout.blocks, layout.boxes, strict=True):
        colour = _COLOURS[block.kind]
        axes.add_patch(rounded_box(box, mixed_with_white(colour, 0.86), colour))
        x = box.x + box.width / 2
        axes.text(x, box.middle, block.label, ha="center", va="center_baseline", zorder=5)
        for number, line in enumerate(block.lines):
            y = box.y + box.height + (number + 0.6) * LINE_HEIGHT
            axes.text(x, y, line, ha="center", va="center_baseline", zorder=5, fontsize=SMALL, color="#4a4f57")


def _connect(axes: Any, before: Box, after: Box) -> None:
    """An arrow to the next block; from a row's end round to the next row's beginning."""
    if before.y == after.y:
        places = [(before.right, before.middle), (after.x, after.middle)]
    else:
        x = after.x + after.width / 2
        between = after.y - ROW_GAP / 2
        right = before.right + GAP / 3
        corners = [(before.right, before.middle), (right, before.middle), (right, between), (x, between)]
        axes.plot(*zip(*corners, strict=True), color=LINE, linewidth=1.2, zorder=1)
        places = [(x, between), (x, after.y)]
    axes.add_patch(
        FancyArrowPatch(
            *places, arrowstyle="-|>", mutation_scale=9, color=LINE, linewidth=1.2, shrinkA=0, shrinkB=0, zorder=2
        )
    )


def _front_end(genotype: CnnGenotype) -> list[str]:
    found = genotype.front_end
    if found is None:
        return []
    lines = [f"{found.n_mels} mel bands"] if found.n_mels is not None else []
    lines += [f"hop {found.hop_ms:g} ms"] if found.hop_ms is not None else []
    return lines + ([f"SpecAugment {100 * found.spec_augment:.3g} %"] if found.spec_augment else [])


def _size(channels: int, size: tuple[int, int] | None) -> str:
    return f"{channels} × {size[0]} × {size[1]}" if size else count_text(channels, "channel")
