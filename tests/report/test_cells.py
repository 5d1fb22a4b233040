"""Cell pictures: nothing overlaps, everything of the genotype is there, bad cells are refused."""

from __future__ import annotations

import io
from itertools import combinations

import numpy as np
import pytest

from audionas.errors import GenotypeError
from audionas.report.cells import Box, CellLayout, Point, draw_cell, edges_in_words, lay_out_cell
from audionas.report.svg import inline_svg

# The published DARTS_V2 cells (Liu et al. 2019).
NORMAL = [
    ("sep_conv_3x3", 0),
    ("sep_conv_3x3", 1),
    ("sep_conv_3x3", 0),
    ("sep_conv_3x3", 1),
    ("sep_conv_3x3", 1),
    ("skip_connect", 0),
    ("skip_connect", 0),
    ("dil_conv_3x3", 2),
]
REDUCE = [
    ("max_pool_3x3", 0),
    ("max_pool_3x3", 1),
    ("skip_connect", 2),
    ("max_pool_3x3", 1),
    ("max_pool_3x3", 0),
    ("skip_connect", 2),
    ("skip_connect", 2),
    ("max_pool_3x3", 1),
]


def _random_cell(seed: int) -> tuple[list[tuple[str, int]], int, list[int]]:
    rng = np.random.default_rng(seed)
    n_nodes, edges_per_node = int(rng.integers(1, 7)), int(rng.integers(1, 4))
    ops = ["sep_conv_3x3", "skip_connect", "a_rather_long_operation_7x7", "none"]
    edges = [
        (ops[rng.integers(4)], int(source))
        for node in range(n_nodes)
        for source in rng.choice(2 + node, min(edges_per_node, 2 + node), replace=False)
    ]
    joined = sorted(rng.choice(np.arange(2, 2 + n_nodes), rng.integers(1, n_nodes + 1), replace=False).tolist())
    return edges, edges_per_node, joined


def _touch(one: Box, other: Box) -> bool:
    return (
        one.x < other.right and other.x < one.right and one.y < other.y + other.height and other.y < one.y + one.height
    )


def _crosses(line: tuple[Point, Point], box: Box) -> bool:
    (x1, y1), (x2, y2) = line
    inside_x = min(x1, x2) < box.right - 0.01 and max(x1, x2) > box.x + 0.01
    return inside_x and min(y1, y2) < box.y + box.height - 0.01 and max(y1, y2) > box.y + 0.01


def _overlaps(line: tuple[Point, Point], other: tuple[Point, Point]) -> bool:
    """Two horizontal or vertical lines run on top of each other."""
    for axis in (0, 1):
        if line[0][axis] == line[1][axis] == other[0][axis] == other[1][axis]:
            ends = sorted(point[1 - axis] for point in line), sorted(point[1 - axis] for point in other)
            return min(ends[0][1], ends[1][1]) - max(ends[0][0], ends[1][0]) > 0.01
    return False


def _check(cell: CellLayout) -> None:
    boxes = [*cell.nodes, *cell.ops, cell.output]
    for one, other in combinations(boxes, 2):
        assert not _touch(one, other), (one, other)
    for line in [*cell.lines, *cell.edges, *cell.joins]:
        for box in boxes:
            # A join ends inside the square around its node, at the circle's rim.
            if line in cell.joins and box in cell.nodes:
                continue
            assert not _crosses(line, box), (line, box)
    stubs = {line[0] for line in cell.lines}  # a node's way to its lane and to the output may share a piece
    for line, other in combinations([*cell.lines, *cell.edges], 2):
        if line[0] == other[0] and line[0] in stubs:
            continue
        assert not _overlaps(line, other), (line, other)
    for box in boxes:
        assert min(box.x, box.y) >= 0
        assert box.right <= cell.width
        assert box.y + box.height <= cell.height


@pytest.mark.parametrize("edges", [NORMAL, REDUCE])
def test_nothing_overlaps_in_the_published_cells(edges: list[tuple[str, int]]) -> None:
    _check(lay_out_cell(edges, edges_per_node=2, concat=(2, 3, 4, 5)))


@pytest.mark.parametrize("seed", range(60))
def test_nothing_overlaps_in_random_cells(seed: int) -> None:
    edges, edges_per_node, concat = _random_cell(seed)
    _check(lay_out_cell(edges, edges_per_node=edges_per_node, concat=concat, top=20))


def test_every_edge_runs_from_its_source_to_its_node() -> None:
    cell = lay_out_cell(NORMAL, edges_per_node=2, concat=(2, 3, 4, 5))
    lanes = {round(line[0][0], 3): line for line in cell.lines if line[0][0] == line[1][0]}
    for i, ((op, source), edge, box) in enumerate(zip(NORMAL, cell.edges, cell.ops, strict=True)):
        lane = lanes[round(edge[0][0], 3)]
        assert min(lane[0][1], lane[1][1]) <= edge[0][1] <= max(lane[0][1], lane[1][1])
        assert cell.nodes[source].right < edge[0][0] < box.x < cell.nodes[2 + i // 2].x
        assert box.label == op
        assert edge[1] == (box.x, box.middle)


def test_the_picture_holds_the_texts_as_text() -> None:
    figure = draw_cell(NORMAL, edges_per_node=2, concat=(2, 3, 4, 5), title="Normal cell")
    svg = inline_svg(figure, "one", "the normal cell")
    assert svg.count("sep_conv_3x3</text>") == 5
    assert svg.count("skip_connect</text>") == 2
    for text in ("c_{k-2}", "c_{k-1}", "c_k", "Normal cell", "5"):
        assert f">{text}</text>" in svg
    assert 'aria-label="the normal cell"' in svg


def test_a_cell_saves_as_png_and_pdf() -> None:
    for kind, magic in (("png", b"\x89PNG"), ("pdf", b"%PDF")):
        stream = io.BytesIO()
        draw_cell(REDUCE, edges_per_node=2, concat=(2, 3, 4, 5)).savefig(stream, format=kind)
        assert stream.getvalue().startswith(magic)


def test_a_node_with_few_nodes_before_it_has_fewer_edges() -> None:
    edges = [("skip_connect", 0), ("skip_connect", 1), ("none", 0), ("none", 1), ("none", 2)]
    assert edges_in_words(edges, 3)[1] == "node 3 = none(c_{k-2}) + none(c_{k-1}) + none(2)"
    _check(lay_out_cell(edges, edges_per_node=3, concat=(2, 3)))


@pytest.mark.parametrize(
    "edges, edges_per_node, concat, message",
    [
        ([], 2, [2], "0 edges do not make whole nodes of 2 edges each"),
        ([("none", 0)], 2, [2], "1 edges do not make whole nodes"),
        ([("none", 0), ("none", 2)], 2, [2], "'none' of node 2 takes node 2; accepted: 0 to 1"),
        ([("none", 0), ("none", 1)], 2, [3], r"concat \[3\] must name nodes of 0 to 2"),
        ([("none", 0), ("none", 1)], 2, [], "at least one"),
    ],
)
def test_a_wrong_cell_is_refused(
    edges: list[tuple[str, int]], edges_per_node: int, concat: list[int], message: str
) -> None:
    with pytest.raises(GenotypeError, match=message):
        draw_cell(edges, edges_per_node=edges_per_node, concat=concat)


def test_weights_stand_behind_their_operations() -> None:
    edges = [("sep_conv_3x3", 0), ("skip_connect", 1)]
    figure = draw_cell(edges, edges_per_node=2, concat=(2,), weights=(0.314, 0.1))
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert "sep_conv_3x3 0.31" in texts
    assert "skip_connect 0.10" in texts
