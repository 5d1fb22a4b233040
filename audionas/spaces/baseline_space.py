"""`BaselineSpace`: settings of a hand-made system as choices, such as the shape of its first filters."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from audionas.errors import GenotypeError
from audionas.records import Record
from audionas.spaces.baseline_genotype import BaselineGenotype, Setting

Sample = Mapping[str, str]
Options = Annotated[tuple[Setting, ...], Field(min_length=1, max_length=4096)]


class BaselineSpace(Record):
    """A system of `audionas list baselines` with fixed `settings`, and `options` of those that are searched.

    Whether its network accepts them is checked by `audionas.models.baselines.check_baseline_space`; this layer knows
    no networks.
    """

    kind: Literal["baseline"] = "baseline"
    name: str = "unnamed"
    features: str
    baseline: str = Field(min_length=1, max_length=64)
    settings: dict[str, Setting] = {}
    options: dict[str, Options] = Field(min_length=1, max_length=64)

    @field_validator("options")
    @classmethod
    def _no_option_twice(cls, options: dict[str, Options]) -> dict[str, Options]:
        twice = [key for key, values in options.items() if len(set(map(option_text, values))) < len(values)]
        if twice:
            raise ValueError(f"{', '.join(twice)}: an option stands twice")
        return options

    @model_validator(mode="after")
    def _one_place_for_a_value(self) -> BaselineSpace:
        both = [key for key in self.options if key in self.settings]
        if both:
            raise ValueError(
                "; ".join(f"settings.{key}: stands in options.{key} too, which decides; remove one" for key in both)
            )
        return self

    @property
    def macro(self) -> None:
        """Hand-made systems are not stacked of cells."""

    def size(self) -> int:
        """The number of samples."""
        return prod(len(values) for values in self.options.values())

    def choices(self) -> dict[str, tuple[str, ...]]:
        """Every decision: a setting -> its options, all text; [8, 16] is "8,16"."""
        return {key: tuple(map(option_text, values)) for key, values in self.options.items()}

    def genotype(self, sample: Sample) -> BaselineGenotype:
        """The genotype of a sample (setting -> option); a pure function."""
        chosen = {
            key: next(value for value in values if option_text(value) == sample[key])
            for key, values in self.options.items()
        }
        return BaselineGenotype.of(self.baseline, {**self.settings, **chosen})

    def sample(self, genotype: BaselineGenotype) -> dict[str, str]:
        """The sample of a genotype.

        Raises:
            GenotypeError: this space does not contain it.
        """
        where = f"genotype is not of space {self.name!r}"
        if not isinstance(genotype, BaselineGenotype) or genotype.name != self.baseline:
            raise GenotypeError(f"{where}: it is not the hand-made system {self.baseline!r}")
        values = dict(genotype.settings)
        sample = {}
        for key, options in self.options.items():
            sample[key] = option_text(values.get(key))
            if sample[key] not in self.choices()[key]:
                raise GenotypeError(f"{where}: {key}: {sample[key]} is none of {', '.join(map(option_text, options))}")
        if self.genotype(sample) != genotype:
            raise GenotypeError(f"{where}: other settings than {', '.join(self.options)} differ")
        return sample

    def random(self, rng: np.random.Generator) -> BaselineGenotype:
        """A genotype drawn uniformly over the choices."""
        return self.genotype({label: str(rng.choice(options)) for label, options in self.choices().items()})

    def check(self, genotype: object) -> None:
        """Refuse a genotype that this space does not contain.

        Raises:
            GenotypeError: it is of another kind, or has other settings.
        """
        self.sample(genotype)  # type: ignore[arg-type]

    def to_settings(self) -> dict[str, Any]:
        """The mapping that the space's YAML holds."""
        return self.model_dump(mode="json", exclude={"name"})


def option_text(value: Setting) -> str:
    """An option as the text that a search proposes.

    >>> option_text(8), option_text(0.5), option_text((8, 16)), option_text(()), option_text(True), option_text(None)
    ('8', '0.5', '8,16', 'empty', 'true', 'none')
    """
    if isinstance(value, (tuple, list)):
        return ",".join(map(option_text, value)) or "empty"
    if value is None or isinstance(value, bool):
        return "none" if value is None else str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
