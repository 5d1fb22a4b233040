"""`CnnCellSpace`: DARTS-style cells as data. Builds no module and imports no NNI."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from math import comb
from typing import Any, Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from audionas.errors import GenotypeError, unknown
from audionas.ops import CNN_OPS, NONE
from audionas.records import Record
from audionas.spaces.cnn_genotype import Cell, CnnGenotype, CnnMacro, node_edges

KINDS = ("normal", "reduce")
Sample = Mapping[str, str]


class CnnCellSpace(Record):
    """One normal and one reduction cell of `nodes` intermediate nodes, each keeping `edges_per_node` edges.

    Source: Liu et al. 2019 (DARTS), section 2.
    """

    kind: Literal["cnn_cell"] = "cnn_cell"
    name: str = "unnamed"
    features: str = "log_mel_small"
    nodes: int = Field(ge=1, le=12)
    edges_per_node: int = Field(default=2, ge=1, le=6)
    ops: tuple[str, ...] = Field(min_length=2)
    macro: CnnMacro = CnnMacro()

    @field_validator("ops")
    @classmethod
    def _known_ops(cls, ops: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [unknown("operation", op, CNN_OPS) for op in ops if op not in CNN_OPS]
        if wrong:
            raise ValueError("; ".join(wrong))
        if len(set(ops)) < len(ops):
            raise ValueError("an operation stands twice")
        return ops

    @model_validator(mode="after")
    def _something_to_keep(self) -> CnnCellSpace:
        if not self.real_ops:
            raise ValueError("ops: at least one operation besides 'none' is needed")
        return self

    @property
    def real_ops(self) -> tuple[str, ...]:
        """The operations that a genotype may keep: all but `none`."""
        return tuple(op for op in self.ops if op != NONE)

    @property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """Every (node, input) of a cell before derivation, in node order; 14 for 4 nodes."""
        return tuple((node, source) for node in range(2, self.nodes + 2) for source in range(node))

    @property
    def concat(self) -> tuple[int, ...]:
        """All intermediate nodes: what a cell's output concatenates."""
        return tuple(range(2, self.nodes + 2))

    def kept(self, node: int) -> int:
        """How many edges node `node` (2 is the first intermediate one) keeps."""
        return min(self.edges_per_node, node)

    def size(self) -> int:
        """The number of different genotypes (isomorphic ones counted apart)."""
        n_ops = len(self.real_ops)
        cell = 1
        for node in range(2, self.nodes + 2):
            cell *= comb(node, self.kept(node)) * n_ops ** self.kept(node)
        return int(cell ** len(KINDS))

    def choices(self) -> dict[str, tuple[str, ...]]:
        """Every decision of a multi-trial search: label -> its options, all text.

        `normal_n0_in` is the input pair of the first node ("0+1"), `normal_n0_op0` the first edge's op.
        """
        table: dict[str, tuple[str, ...]] = {}
        for kind in KINDS:
            for n in range(self.nodes):
                kept = self.kept(n + 2)
                table[f"{kind}_n{n}_in"] = tuple("+".join(map(str, c)) for c in combinations(range(n + 2), kept))
                table |= {f"{kind}_n{n}_op{k}": self.real_ops for k in range(kept)}
        return table

    def genotype(self, sample: Sample) -> CnnGenotype:
        """The genotype of a sample (label -> option); a pure function."""
        cells = {kind: self._cell(kind, sample) for kind in KINDS}
        return self.make(cells["normal"], cells["reduce"])

    def make(self, normal: Cell, reduce: Cell) -> CnnGenotype:
        """A genotype of this space from its two cells."""
        return CnnGenotype(normal, self.concat, reduce, self.concat, self.edges_per_node, self.macro, self.name)

    def sample(self, genotype: CnnGenotype) -> dict[str, str]:
        """The sample whose genotype is `genotype` up to the order of a node's edges."""
        self.check(genotype)
        sample: dict[str, str] = {}
        for kind in KINDS:
            for n, edges in enumerate(node_edges(getattr(genotype, kind), self.edges_per_node)):
                ordered = sorted(edges, key=lambda edge: edge[1])
                sample[f"{kind}_n{n}_in"] = "+".join(str(source) for _, source in ordered)
                sample |= {f"{kind}_n{n}_op{k}": op for k, (op, _) in enumerate(ordered)}
        return sample

    def random(self, rng: np.random.Generator) -> CnnGenotype:
        """A genotype drawn uniformly over the choices."""
        return self.genotype({label: str(rng.choice(options)) for label, options in self.choices().items()})

    def check(self, genotype: object) -> None:
        """Refuse a genotype that this space does not contain.

        Raises:
            GenotypeError: it is of another kind, or has other nodes, edges, operations or outputs.
        """
        if not isinstance(genotype, CnnGenotype):
            raise GenotypeError(f"genotype is not of space {self.name!r}: it holds no CNN cells")
        for kind in KINDS:
            problem = self._problem(getattr(genotype, kind), getattr(genotype, f"{kind}_concat"), genotype)
            if problem:
                raise GenotypeError(f"genotype is not of space {self.name!r}: {kind} cell: {problem}")

    def to_settings(self) -> dict[str, Any]:
        """The mapping that the space's YAML holds."""
        return self.model_dump(mode="json", exclude={"name"})

    def _cell(self, kind: str, sample: Sample) -> Cell:
        return tuple(
            (sample[f"{kind}_n{n}_op{k}"], int(source))
            for n in range(self.nodes)
            for k, source in enumerate(sample[f"{kind}_n{n}_in"].split("+"))
        )

    def _problem(self, cell: Cell, concat: tuple[int, ...], genotype: CnnGenotype) -> str:
        nodes = node_edges(cell, genotype.edges_per_node)
        if len(nodes) != self.nodes or genotype.edges_per_node != self.edges_per_node:
            return (
                f"{len(nodes)} nodes of {genotype.edges_per_node} edges, expected {self.nodes} of {self.edges_per_node}"
            )
        if concat != self.concat:
            return f"output nodes {list(concat)}, expected {list(self.concat)}"
        for op, _ in cell:
            if op not in self.real_ops:
                return unknown("operation", op, self.real_ops)
        for n, edges in enumerate(nodes):
            if len({source for _, source in edges}) < len(edges):
                return f"node {n + 2} takes the same input twice"
        return ""
