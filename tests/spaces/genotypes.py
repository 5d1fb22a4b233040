"""Genotypes for tests: hypothesis strategies, and the two that the DARTS release publishes."""

from __future__ import annotations

from hypothesis import strategies as st

from audionas.ops import CNN_OPS, NONE
from audionas.spaces import CnnGenotype, CnnMacro
from audionas.spaces.cnn_genotype import Cell

OPS = [name for name in CNN_OPS if name != NONE]

# quark0/darts, cnn/genotypes.py
DARTS_V1 = (
    "DARTS_V1 = Genotype(normal=[('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 0), ('sep_conv_3x3', 1), "
    "('skip_connect', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 2)], normal_concat=[2, 3, 4, 5], "
    "reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 0), ('max_pool_3x3', 0), "
    "('skip_connect', 2), ('skip_connect', 2), ('avg_pool_3x3', 0)], reduce_concat=[2, 3, 4, 5])"
)  # fmt: skip
DARTS_V2 = (
    "DARTS_V2 = Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
    "('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5], "
    "reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0), "
    "('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=[2, 3, 4, 5])"
)  # fmt: skip


@st.composite
def cells(draw: st.DrawFn, n_nodes: int, edges_per_node: int = 2) -> Cell:
    """A cell in which no node takes the same input twice."""
    edges: list[tuple[str, int]] = []
    for node in range(2, n_nodes + 2):
        kept = min(edges_per_node, node)
        inputs = draw(st.permutations(range(node)))[:kept]
        edges += [(draw(st.sampled_from(OPS)), source) for source in inputs]
    return tuple(edges)


@st.composite
def genotypes(draw: st.DrawFn, edges_per_node: int | None = None) -> CnnGenotype:
    """A genotype of 1 to 5 nodes a cell, with any outputs and macro values."""
    kept = edges_per_node or draw(st.integers(1, 3))
    parts: dict[str, tuple] = {}
    for kind in ("normal", "reduce"):
        n_nodes = draw(st.integers(1, 5))
        parts[kind] = draw(cells(n_nodes, kept))
        outputs = st.sets(st.integers(2, n_nodes + 1), min_size=1)
        parts[f"{kind}_concat"] = tuple(sorted(draw(outputs)))
    macro = CnnMacro(n_cells=draw(st.integers(1, 100)), channels=draw(st.integers(1, 1024)))
    return CnnGenotype(**parts, edges_per_node=kept, macro=macro, space=draw(st.text(max_size=9).filter(_writable)))


def _writable(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)
