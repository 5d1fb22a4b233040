"""The genotype that a line of `epochs.jsonl` holds, of any kind of space that a supernet can search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audionas.spaces import (
    BaselineGenotype,
    BaselineSpace,
    CnnCellSpace,
    CnnMacroSpace,
    Genotype,
    RecurrentGenotype,
    SearchSpace,
)
from audionas.spaces.cnn_cell import KINDS
from audionas.spaces.genotype_file import cells_document


def derived_document(genotype: Genotype) -> dict[str, Any]:
    """What a line keeps of a genotype: its cells, or its recipe."""
    assert not isinstance(genotype, BaselineGenotype), "no search finds it"
    return genotype.to_recipe() if isinstance(genotype, RecurrentGenotype) else cells_document(genotype)


def derived_genotype(space: SearchSpace, document: Mapping[str, Any]) -> Genotype:
    """The genotype of `space` whose `derived_document` this is."""
    if isinstance(space, CnnCellSpace):
        return space.make(*(tuple((op, source) for op, source in document[kind]) for kind in KINDS))
    assert not isinstance(space, (CnnMacroSpace, BaselineSpace)), "no supernet searches it"
    return RecurrentGenotype.from_recipe(dict(document), "epochs.jsonl").within(space.macro, space.name)
