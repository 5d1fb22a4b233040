"""`genotype.json`: read without evaluating anything, written with the hash of its cells.

Provenance (what the search read) stands outside the hash: equal architectures have equal hashes wherever
they were found, and a copied file still tells whose clips found it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from audionas.errors import GenotypeError, SettingsError, unknown
from audionas.ops import CNN_OPS, NONE
from audionas.quantities import count_text
from audionas.records import Record, validate, write_json
from audionas.spaces.baseline_genotype import BaselineGenotype, Setting
from audionas.spaces.catalogue_file import catalogue_size, is_recipe_document, read_json_strictly, recipe_genotype
from audionas.spaces.cnn_genotype import CnnGenotype, CnnMacro, macro_values, node_edges
from audionas.spaces.front_end import FrontEnd
from audionas.spaces.recurrent_genotype import RecurrentGenotype, RecurrentMacro

Genotype = CnnGenotype | RecurrentGenotype | BaselineGenotype

MAX_BYTES = 1_000_000
SCHEMA_VERSION = 1
_Size = Annotated[int, Field(ge=1)]
_Node = Annotated[int, Field(ge=0, le=64)]
_EdgeField = tuple[Annotated[str, Field(max_length=64)], _Node]


class _Cells(Record):
    normal: tuple[_EdgeField, ...] = Field(min_length=1, max_length=256)
    normal_concat: tuple[_Node, ...] = Field(min_length=1, max_length=64)
    reduce: tuple[_EdgeField, ...] = Field(min_length=1, max_length=256)
    reduce_concat: tuple[_Node, ...] = Field(min_length=1, max_length=64)
    edges_per_node: int = Field(default=2, ge=1, le=6)


class GroupRead(Record):
    """One group that a search has read: hash of its name, hashes of its audio."""

    group: str
    digits: int = Field(default=12, ge=1, le=64)
    audio: tuple[str, ...]


class _Provenance(Record):
    """What is checked of a provenance; anything else may stand there."""

    model_config = ConfigDict(extra="allow", frozen=True)

    groups_read: tuple[GroupRead, ...] | None = None
    features: dict[str, Any] | None = None
    input_shape: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] | None = (
        None
    )


class _Document(Record):
    schema_version: Literal[1]
    space: str = Field(default="", max_length=256)
    hash: str = Field(default="", max_length=128)
    provenance: _Provenance = _Provenance()


class _CnnDocument(_Document):
    kind: Literal["cnn_cell"]
    cells: _Cells
    macro: CnnMacro
    front_end: FrontEnd | None = None

    def genotype(self, where: str) -> CnnGenotype:
        cells = {name: getattr(self.cells, name) for name in _Cells.model_fields}
        found = CnnGenotype(macro=self.macro, space=self.space, front_end=self.front_end, **cells)
        check_cells(found, where)
        return found


class _RecurrentDocument(_Document):
    kind: Literal["recurrent_cell"]
    recipe: dict[str, Any]
    macro: RecurrentMacro

    def genotype(self, where: str) -> RecurrentGenotype:
        return RecurrentGenotype.from_recipe(self.recipe, where).within(self.macro, self.space)


class _BaselineDocument(_Document):
    kind: Literal["baseline"]
    name: str = Field(min_length=1, max_length=64, pattern=r"^[a-z0-9_]+$")
    settings: dict[Annotated[str, Field(max_length=64)], Setting] = Field(default_factory=dict, max_length=64)

    def genotype(self, where: str) -> BaselineGenotype:
        return BaselineGenotype.of(self.name, self.settings)


_DOCUMENTS: dict[str, type[_CnnDocument] | type[_RecurrentDocument] | type[_BaselineDocument]] = {
    "baseline": _BaselineDocument,
    "cnn_cell": _CnnDocument,
    "recurrent_cell": _RecurrentDocument,
}


@dataclass(frozen=True)
class GenotypeFile:
    """A genotype and where it comes from."""

    genotype: Genotype
    provenance: dict[str, Any]


def load_genotype(path: str | Path) -> Genotype:
    """The genotype of a JSON file; see `read_genotype_file` for the errors."""
    return read_genotype_file(Path(path)).genotype


def read_genotype_file(path: Path) -> GenotypeFile:
    """Genotype and provenance of a JSON file; nothing in the file is evaluated.

    A bare NAS-Bench-NLP recipe is a genotype too, with the default macro values and no provenance.

    Raises:
        GenotypeError: the file is missing, larger than 1 MB, not JSON, of another version, has unknown
            operations or inputs, defines a node twice, or its hash does not fit its cells; or it is a catalogue.
    """
    value, faults = read_json_strictly(path, "genotype file", max_bytes=MAX_BYTES)
    if is_recipe_document(value):
        return GenotypeFile(recipe_genotype(value, faults, path), {})
    _refuse_other_json(value, path)
    kind = str(value.get("kind", ""))
    if kind not in _DOCUMENTS:
        given = unknown("kind", kind, _DOCUMENTS) if "kind" in value else "key 'kind' is missing"
        raise GenotypeError(f"{path}: not a genotype file: {given}")
    try:
        document = validate(_DOCUMENTS[kind], value, str(path))
    except SettingsError as why:
        raise GenotypeError(f"{path}: {'; '.join([*faults, *why.problems])}") from why
    if faults:
        raise GenotypeError(f"{path}: {'; '.join(faults)}")
    genotype = document.genotype(str(path))
    if document.hash and document.hash != genotype.hash:
        raise GenotypeError(
            f"{path}: the hash does not fit the cells (damaged, or edited by hand); remove the hash to accept it"
        )
    return GenotypeFile(genotype, document.provenance.model_dump(mode="json", exclude_none=True))


def save_genotype(genotype: Genotype, path: str | Path, provenance: dict[str, Any] | None = None) -> None:
    """Write the genotype atomically as JSON, with its hash and provenance."""
    write_json(Path(path), genotype_document(genotype, provenance))


def genotype_document(genotype: Genotype, provenance: dict[str, Any] | None = None) -> dict[str, Any]:
    """The JSON document of a genotype."""
    if isinstance(genotype, BaselineGenotype):
        named = {"schema_version": SCHEMA_VERSION, "kind": "baseline", **genotype.document()}
        return {**named, "hash": genotype.hash, "provenance": provenance or {}}
    if isinstance(genotype, RecurrentGenotype):
        body: dict[str, Any] = {"kind": "recurrent_cell", "space": genotype.space, "recipe": genotype.to_recipe()}
    else:
        body = {"kind": "cnn_cell", "space": genotype.space, "cells": cells_document(genotype)}
        if genotype.front_end is not None:
            body["front_end"] = genotype.front_end.as_record()
    return {
        "schema_version": SCHEMA_VERSION,
        **body,
        "macro": macro_values(genotype.macro),
        "hash": genotype.hash,
        "provenance": provenance or {},
    }


def cells_document(genotype: CnnGenotype) -> dict[str, Any]:
    """The cells alone, as JSON lists."""
    return {
        "normal": [list(edge) for edge in genotype.normal],
        "normal_concat": list(genotype.normal_concat),
        "reduce": [list(edge) for edge in genotype.reduce],
        "reduce_concat": list(genotype.reduce_concat),
        "edges_per_node": genotype.edges_per_node,
    }


def check_cells(genotype: CnnGenotype, where: str) -> None:
    """Refuse cells that no network could be built from.

    Raises:
        GenotypeError: an unknown operation, `none`, an input that is not an earlier node, a node with too
            few edges, or an output that is missing or no intermediate node (an input is not reduced).
    """
    ops = [name for name in CNN_OPS if name != NONE]
    for kind in ("normal", "reduce"):
        nodes = node_edges(getattr(genotype, kind), genotype.edges_per_node)
        for n, edges in enumerate(nodes):
            if len(edges) != min(genotype.edges_per_node, n + 2):
                raise GenotypeError(f"{where}: {kind} cell: node {n + 2} has {len(edges)} edge(s)")
            for op, source in edges:
                if op not in ops:
                    raise GenotypeError(f"{where}: {kind} cell: {unknown('operation', op, ops)}")
                if source >= n + 2:
                    raise GenotypeError(
                        f"{where}: {kind} cell: node {n + 2} takes input {source}, must be 0 to {n + 1}"
                    )
        outputs = getattr(genotype, f"{kind}_concat")
        if not outputs:
            raise GenotypeError(f"{where}: {kind} cell: no output node, must be 2 to {len(nodes) + 1}")
        if len(set(outputs)) < len(outputs):
            raise GenotypeError(f"{where}: {kind} cell: an output node stands twice in {list(outputs)}")
        for node in outputs:
            if not 2 <= node < len(nodes) + 2:
                raise GenotypeError(f"{where}: {kind} cell: output node {node}, must be 2 to {len(nodes) + 1}")


def _refuse_other_json(value: object, path: Path) -> None:
    n_recipes = 0 if isinstance(value, dict) and isinstance(value.get("kind"), str) else catalogue_size(value)
    if n_recipes:
        raise GenotypeError(
            f"{path}: not a genotype file: a catalogue of {count_text(n_recipes, 'recipe')}; give one of them in a "
            "file of its own, or search it with a YAML of kind: recurrent_catalogue"
        )
    if not isinstance(value, dict):
        raise GenotypeError(f"{path}: not a genotype file: expected a JSON object, got {type(value).__name__}")
