"""`CnnMacroSpace`: what stands around given cells, as choices: depth, width, reductions, pooling, front-end."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any, Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from audionas.errors import GenotypeError, SettingsError
from audionas.records import Record, validate
from audionas.spaces.cnn_genotype import CnnGenotype, CnnMacro, canonical, node_edges
from audionas.spaces.front_end import FrontEnd
from audionas.spaces.genotype_file import check_cells

Edge = tuple[str, int]
Sample = Mapping[str, str]
Fraction = str | int | float


class MacroCells(Record):
    """The two cells that every network of the space is built of, as a genotype file has them.

    A cell's output concatenates all its nodes.
    """

    normal: tuple[Edge, ...] = Field(min_length=1, max_length=256)
    reduce: tuple[Edge, ...] = Field(min_length=1, max_length=256)
    edges_per_node: int = Field(default=2, ge=1, le=6)

    def genotype(self, macro: CnnMacro, space: str, front_end: FrontEnd | None = None) -> CnnGenotype:
        """These cells within macro values."""
        outputs = [
            tuple(range(2, 2 + len(node_edges(cell, self.edges_per_node)))) for cell in (self.normal, self.reduce)
        ]
        return CnnGenotype(
            self.normal, outputs[0], self.reduce, outputs[1], self.edges_per_node, macro, space, front_end
        )

    @model_validator(mode="after")
    def _whole_nodes(self) -> MacroCells:
        try:
            check_cells(self.genotype(CnnMacro(), ""), "cells")
        except GenotypeError as why:
            raise ValueError(str(why).removeprefix("cells: ")) from why
        return self


class MacroOptions(Record):
    """The options of each decision; one that is left out is not searched. An option is a value of its key."""

    n_cells: tuple[int, ...] = ()
    channels: tuple[int, ...] = ()
    reduction_at: tuple[tuple[Fraction, ...], ...] = ()
    pooling: tuple[str, ...] = ()
    n_mels: tuple[int, ...] = ()
    hop_ms: tuple[float, ...] = ()
    spec_augment: tuple[float, ...] = ()

    def by_decision(self) -> dict[str, dict[str, Any]]:
        """Decision -> option as text -> its value, of those that are searched."""
        fields = type(self).model_fields
        return {
            key: {option_text(value): value for value in getattr(self, key)} for key in fields if getattr(self, key)
        }

    @field_validator("*")
    @classmethod
    def _no_option_twice(cls, options: tuple[Any, ...]) -> tuple[Any, ...]:
        if not options:
            raise ValueError("must be one option or more; leave the key out where nothing is to be searched")
        if len({option_text(option) for option in options}) < len(options):
            raise ValueError("an option stands twice")
        return options

    @model_validator(mode="after")
    def _options_are_values(self) -> MacroOptions:
        if not self.by_decision():
            raise ValueError(f"nothing to choose; give options of one or more of: {', '.join(type(self).model_fields)}")
        faults: list[str] = []
        for key, options in self.by_decision().items():
            for value in options.values():
                try:
                    validate(record_of(key), {key: value}, "options")
                except SettingsError as why:
                    faults += why.problems
        if faults:
            raise ValueError("; ".join(faults))
        return self


def record_of(key: str) -> type[CnnMacro] | type[FrontEnd]:
    """The record that a decision is a value of."""
    return FrontEnd if key in FrontEnd.model_fields else CnnMacro


def option_text(value: Any) -> str:
    """An option as the text that a search proposes.

    >>> option_text(8), option_text(12.5), option_text(("1/3", "2/3")), option_text(())
    ('8', '12.5', '1/3+2/3', 'none')
    """
    if isinstance(value, (tuple, list)):
        return "+".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


class CnnMacroSpace(Record):
    """Given cells; searched is how many are stacked, how wide, where they reduce, the pooling, and the front-end."""

    kind: Literal["cnn_macro"] = "cnn_macro"
    name: str = "unnamed"
    features: str = "log_mel_frames"
    cells: MacroCells
    options: MacroOptions
    macro: CnnMacro = CnnMacro()

    @model_validator(mode="after")
    def _one_place_for_a_value(self) -> CnnMacroSpace:
        """A value stands in `macro` or its options in `options`; a run's own space.yaml of before had both."""
        given = self.macro.model_fields_set
        both = [key for key in self.options.by_decision() if key in given]
        is_dump = given == set(CnnMacro.model_fields) and all(
            getattr(self.macro, key) == CnnMacro.model_fields[key].default for key in both
        )
        if both and not is_dump:
            raise ValueError(
                "; ".join(f"macro.{key}: stands in options.{key} too, which decides; remove one" for key in both)
            )
        return self

    def size(self) -> int:
        """The number of samples."""
        return prod(len(options) for options in self.choices().values())

    def choices(self) -> dict[str, tuple[str, ...]]:
        """Every decision: its key -> its options, all text; reductions at 1/3 and 2/3 are "1/3+2/3"."""
        return {key: tuple(options) for key, options in self.options.by_decision().items()}

    def front_ends(self) -> tuple[FrontEnd, ...]:
        """Every front-end whose features a candidate may ask for, SpecAugment left out."""
        options = self.options.by_decision()
        mels = list(options.get("n_mels", {"": None}).values())
        hops = list(options.get("hop_ms", {"": None}).values())
        return tuple(FrontEnd(n_mels=n_mels, hop_ms=hop_ms) for n_mels in mels for hop_ms in hops)

    def genotype(self, sample: Sample) -> CnnGenotype:
        """The genotype of a sample (label -> option); a pure function."""
        values = {key: options[sample[key]] for key, options in self.options.by_decision().items()}
        front_end = {key: value for key, value in values.items() if key in FrontEnd.model_fields}
        macro = self.macro.model_dump() | {key: value for key, value in values.items() if key not in front_end}
        found = validate(CnnMacro, macro, self.name), self.name, validate(FrontEnd, front_end, self.name)
        return self.cells.genotype(*found)

    def sample(self, genotype: CnnGenotype) -> dict[str, str]:
        """The sample of a genotype.

        Raises:
            GenotypeError: this space does not contain it.
        """
        if not isinstance(genotype, CnnGenotype) or genotype.front_end is None:
            raise GenotypeError(f"genotype is not of space {self.name!r}: it is of no macro space")
        values = {**genotype.macro.model_dump(), **genotype.front_end.model_dump()}
        sample = {}
        for key, options in self.options.by_decision().items():
            found = next((text for text, value in options.items() if _same(value, values[key])), None)
            if found is None:
                given = option_text(values[key])
                raise GenotypeError(
                    f"genotype is not of space {self.name!r}: {key}: {given} is none of {', '.join(options)}"
                )
            sample[key] = found
        if self.genotype(sample).hash != genotype.hash:
            raise GenotypeError(f"genotype is not of space {self.name!r}: {self._difference(genotype)}")
        return sample

    def random(self, rng: np.random.Generator) -> CnnGenotype:
        """A genotype drawn uniformly over the choices."""
        return self.genotype({label: str(rng.choice(options)) for label, options in self.choices().items()})

    def check(self, genotype: object) -> None:
        """Refuse a genotype that this space does not contain.

        Raises:
            GenotypeError: it is of another kind, or has other cells or values.
        """
        self.sample(genotype)  # type: ignore[arg-type]

    def to_settings(self) -> dict[str, Any]:
        """The mapping that the space's YAML holds."""
        searched = self.options.by_decision()
        settings = self.model_dump(mode="json", exclude={"name": True, "macro": set(searched)})
        return settings | {"options": {key: values for key, values in settings["options"].items() if values}}

    def _difference(self, genotype: CnnGenotype) -> str:
        own = self.cells.genotype(self.macro, self.name)
        for kind in ("normal", "reduce"):
            cells = [
                canonical(getattr(g, kind), getattr(g, f"{kind}_concat"), g.edges_per_node) for g in (own, genotype)
            ]
            if cells[0] != cells[1]:
                return f"another {kind} cell"
        return "other macro values, or a front-end that the space does not choose"


def _same(option: Any, value: Any) -> bool:
    return option_text(option) == option_text(value)
