"""`RecurrentCatalogueSpace`: a list of recipes to choose from, shipped or the user's, as data."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, ValidationInfo, field_validator, model_validator

from audionas.errors import GenotypeError, SettingsError, unknown
from audionas.records import Record, validate
from audionas.spaces.catalogue_file import (
    CatalogueRecipe,
    catalogue_recipes,
    read_catalogue_document,
    shipped_catalogues,
    shipped_recipes,
)
from audionas.spaces.recurrent_genotype import MAX_STATES, RecurrentGenotype, RecurrentMacro

LABEL = "recipe"
Sample = Mapping[str, str]


class RecurrentCatalogueSpace(Record):
    """One choice: which recipe of a catalogue; isomorphic recipes are one option, named by their smallest id.

    `catalogue` is a shipped name, the path of a JSON file, or the recipes themselves (a list, or name -> recipe).
    Source: Sun et al. 2022 (EmotionNAS), section 2.2, chooses among recipes of NAS-Bench-NLP.
    """

    kind: Literal["recurrent_catalogue"] = "recurrent_catalogue"
    name: str = "unnamed"
    features: str = "log_mel_frames"
    catalogue: Any = "nas_bench_nlp"
    states: int | None = Field(default=None, ge=1, le=MAX_STATES)
    macro: RecurrentMacro = RecurrentMacro()

    @field_validator("catalogue")
    @classmethod
    def _name_path_or_recipes(cls, catalogue: Any) -> Any:
        if not isinstance(catalogue, str):
            try:
                catalogue_recipes(catalogue, "catalogue")
            except SettingsError as why:
                raise ValueError("; ".join(why.problems)) from why
        elif not _is_path(catalogue) and catalogue not in shipped_catalogues():
            raise ValueError(
                f"{unknown('catalogue', catalogue, shipped_catalogues())}; or give the path of a JSON file"
            )
        return catalogue

    @field_validator("macro")
    @classmethod
    def _two_states_to_emit(cls, macro: RecurrentMacro, info: ValidationInfo) -> RecurrentMacro:
        if macro.emit == "h0+h1" and (info.data.get("states", 2) or 1) < 2:
            raise ValueError("emit: h0+h1 needs recipes of two states; set states: 2 or 3")
        return macro

    @model_validator(mode="after")
    def _something_to_choose(self) -> RecurrentCatalogueSpace:
        if not self._is_unread and not self.recipes:
            raise ValueError(f"states: the catalogue has no recipe of {self.states} state(s)")
        return self

    def relative_to(self, folder: Path, where: str = "space") -> RecurrentCatalogueSpace:
        """The space with the recipes of its file in it; a path is meant from `folder`, else from the working folder.

        From then on the file is not needed: `to_settings` holds the recipes. `where` is the YAML, for errors.

        Raises:
            SettingsError: no such file, any fault of any recipe in it, or no recipe of so many states.
        """
        if not self._is_unread:
            return self
        recipes = _read_beside(self.catalogue, folder, where)
        return validate(type(self), self.model_dump() | {"catalogue": recipes}, where)

    @property
    def recipes(self) -> tuple[CatalogueRecipe, ...]:
        """The recipes to choose from: best on text first, then those without a loss, then by id."""
        return tuple(entry for entry in self._all if self.states in (None, entry.genotype.n_states))

    def size(self) -> int:
        """The number of recipes up to isomorphism."""
        return len(self.recipes)

    def choices(self) -> dict[str, tuple[str, ...]]:
        """The one decision: `recipe`, its options in the order of `recipes`."""
        return {LABEL: tuple(entry.name for entry in self.recipes)}

    def text_losses(self) -> dict[str, float | None]:
        """Option -> best validation loss as a language model in nats; None if every run diverged, or unknown."""
        return {entry.name: entry.text_loss for entry in self.recipes}

    def ids(self, option: str) -> tuple[int, ...]:
        """The ids of all recipes that are isomorphic to an option; their places in the file, if it has no ids.

        Raises:
            GenotypeError: there is no such option.
        """
        return self._entry(option).ids

    def genotype(self, sample: Sample) -> RecurrentGenotype:
        """The genotype of a sample (label -> option); a pure function.

        Raises:
            GenotypeError: there is no such option.
        """
        return self._entry(sample[LABEL]).genotype.within(self.macro, self.name)

    def sample(self, genotype: RecurrentGenotype) -> dict[str, str]:
        """The sample whose genotype has the same recipe up to isomorphism.

        Raises:
            GenotypeError: there is none.
        """
        for entry in self.recipes:
            if entry.genotype.recipe_hash == genotype.recipe_hash:
                return {LABEL: entry.name}
        raise GenotypeError(
            f"genotype is not of space {self.name!r}: its recipe is none of the {self.size()} of the catalogue"
        )

    def random(self, rng: np.random.Generator) -> RecurrentGenotype:
        """A genotype drawn uniformly over the recipes."""
        return self.genotype({LABEL: str(rng.choice([entry.name for entry in self.recipes]))})

    def check(self, genotype: object) -> None:
        """Refuse a genotype whose recipe is not in the catalogue.

        Raises:
            GenotypeError: it is not.
        """
        if not isinstance(genotype, RecurrentGenotype):
            raise GenotypeError(f"genotype is not of space {self.name!r}: it is not a recurrent one")
        self.sample(genotype)

    def to_settings(self) -> dict[str, Any]:
        """The mapping that the space's YAML holds."""
        return self.model_dump(mode="json", exclude={"name"})

    @property
    def _is_unread(self) -> bool:
        return isinstance(self.catalogue, str) and _is_path(self.catalogue)

    @cached_property
    def _all(self) -> tuple[CatalogueRecipe, ...]:
        if not isinstance(self.catalogue, str):
            return catalogue_recipes(self.catalogue, self.name)
        if self._is_unread:
            return catalogue_recipes(read_catalogue_document(Path(self.catalogue)), self.catalogue)
        return shipped_recipes(self.catalogue)

    def _entry(self, option: str) -> CatalogueRecipe:
        for entry in self.recipes:
            if entry.name == option:
                return entry
        raise GenotypeError(
            f"space {self.name!r} has no recipe {option!r}; it has {self.size()}, the first is {self.recipes[0].name!r}"
        )


def catalogue_faults(settings: Mapping[str, object], folder: Path) -> list[str]:
    """What is wrong with the catalogue's file that settings of a space in a folder name, each with the file."""
    catalogue = settings.get("catalogue")
    if settings.get("kind") != "recurrent_catalogue" or not isinstance(catalogue, str) or not _is_path(catalogue):
        return []
    try:
        _read_beside(catalogue, folder, "")
    except SettingsError as why:
        return list(why.problems)
    return []


def _read_beside(catalogue: str, folder: Path, where: str) -> Any:
    beside = folder / catalogue
    path = beside if beside.is_file() else Path(catalogue)
    if not path.exists():
        places = dict.fromkeys(map(str, (folder.absolute(), Path.cwd())))
        looked = "" if path.is_absolute() else f" in {' or '.join(places)}"
        fault = f"catalogue: no file {catalogue!r}{looked}"
        raise SettingsError(f"{where}: {fault}", [fault])
    try:
        return read_catalogue_document(path)
    except SettingsError as why:
        faults = [problem.removeprefix(f"{path}: ") for problem in why.problems]
        raise SettingsError(f"{where}: {path}: {'; '.join(faults)}", [f"{path}: {fault}" for fault in faults]) from why


def _is_path(catalogue: str) -> bool:
    return catalogue.endswith(".json") or "/" in catalogue
