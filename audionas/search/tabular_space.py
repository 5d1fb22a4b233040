"""Spaces of tables: choices without networks, and the rows of an incomplete table as a space that can be searched."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np

from audionas.errors import GenotypeError, SettingsError
from audionas.spaces import Genotype, SearchSpace

Sample = Mapping[str, str]


@dataclass(frozen=True)
class TableGenotype:
    """One option of each choice, as (label, option) in the order of the space; no network can be built from it."""

    options: tuple[tuple[str, str], ...]
    space: str = ""

    @property
    def hash(self) -> str:
        """sha256 of the options."""
        return hashlib.sha256(json.dumps(self.options).encode()).hexdigest()


@dataclass(frozen=True)
class TableSpace:
    """Choices (label -> options) of a table whose every assignment is a row, such as NAS-Bench-Macro's layers."""

    options: Mapping[str, tuple[str, ...]]
    name: str = "table"
    kind: str = "table"

    def choices(self) -> dict[str, tuple[str, ...]]:
        """Every decision: label -> its options."""
        return dict(self.options)

    def size(self) -> int:
        """The number of assignments."""
        return prod(len(options) for options in self.options.values())

    def genotype(self, sample: Sample) -> TableGenotype:
        """The genotype of a sample (label -> option); a pure function."""
        return TableGenotype(tuple((label, sample[label]) for label in self.options), self.name)

    def sample(self, genotype: TableGenotype) -> dict[str, str]:
        """The sample of a genotype."""
        self.check(genotype)
        return dict(genotype.options)

    def random(self, rng: np.random.Generator) -> TableGenotype:
        """A genotype drawn uniformly."""
        return self.genotype({label: str(rng.choice(options)) for label, options in self.options.items()})

    def check(self, genotype: object) -> None:
        """Refuse a genotype that this space does not contain.

        Raises:
            GenotypeError: it has other choices or options.
        """
        given = dict(genotype.options) if isinstance(genotype, TableGenotype) else {}
        if list(given) != list(self.options) or any(given[label] not in o for label, o in self.options.items()):
            raise GenotypeError(f"genotype is not of space {self.name!r}: it has other choices or options")


class PoolSpace:
    """Some genotypes of a space as a space: an assignment stands for the nearest one of them.

    An incomplete table can so be searched by every strategy, as each proposal is in it. Nearest is the genotype whose
    own assignment differs in the fewest choices; of equals the first.
    """

    def __init__(self, space: SearchSpace, genotypes: Sequence[Genotype], name: str = "pool") -> None:
        if not genotypes:
            raise SettingsError("a pool needs at least one genotype")
        self.space, self.genotypes, self.name, self.kind = space, tuple(genotypes), name, space.kind
        self._choices = space.choices()
        self._codes = {label: {o: i for i, o in enumerate(options)} for label, options in self._choices.items()}
        samples = [space.sample(genotype) for genotype in genotypes]  # type: ignore[arg-type]
        self._table = np.array([self._code(sample) for sample in samples], dtype=np.int64)

    def choices(self) -> dict[str, tuple[str, ...]]:
        """The decisions of the space that the genotypes are of."""
        return dict(self._choices)

    def size(self) -> int:
        """The number of genotypes."""
        return len({genotype.hash for genotype in self.genotypes})

    def genotype(self, sample: Sample) -> Genotype:
        """The nearest genotype of the pool; a pure function."""
        return self.genotypes[int((self._table != self._code(sample)).sum(axis=1).argmin())]

    def sample(self, genotype: Genotype) -> dict[str, str]:
        """The assignment of a genotype of the pool."""
        self.check(genotype)
        return self.space.sample(genotype)  # type: ignore[arg-type]

    def random(self, rng: np.random.Generator) -> Genotype:
        """A genotype of the pool, drawn uniformly."""
        return self.genotypes[int(rng.integers(len(self.genotypes)))]

    def check(self, genotype: object) -> None:
        """Refuse a genotype that is not in the pool.

        Raises:
            GenotypeError: it is not.
        """
        if getattr(genotype, "hash", None) not in self._hashes:
            raise GenotypeError(f"genotype is not of space {self.name!r}: it is none of its {self.size()}")

    @cached_property
    def _hashes(self) -> frozenset[str]:
        return frozenset(genotype.hash for genotype in self.genotypes)

    def _code(self, sample: Sample) -> list[int]:
        return [codes[sample[label]] for label, codes in self._codes.items()]
