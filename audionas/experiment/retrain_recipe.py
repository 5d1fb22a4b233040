"""The recipe of a retraining: the defaults of the genotype's kind, with what the user overrides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audionas.errors import SettingsError
from audionas.experiment.genotype_sources import Source
from audionas.records import validate
from audionas.spaces import Genotype, RecurrentGenotype
from audionas.training.recipe import Recipe, default_recipe

CNN, RECURRENT = "cnn_cell", "recurrent_cell"
_USUAL = {"sgd": CNN, "adam": RECURRENT}  # which kind's defaults suit an optimiser


def kind_of(genotype: Genotype) -> str:
    """The kind of a genotype, as its file names it."""
    return RECURRENT if isinstance(genotype, RecurrentGenotype) else CNN


def retrain_recipe(genotype: Genotype, overrides: Mapping[str, Any]) -> Recipe:
    """SGD for CNN cells, Adam for recurrent ones, unless overridden; another optimiser brings its own rate and decay.

    Raises:
        SettingsError: a key or a value is not accepted.
    """
    given = validate(Recipe, dict(overrides), "retrain")
    kind = kind_of(genotype)
    base = default_recipe(_USUAL[given.optimiser] if "optimiser" in overrides else kind)
    return validate(Recipe, {**base.model_dump(), **overrides}, "retrain")


def check_kinds(sources: Sequence[Source], recipe: Recipe, auxiliary: bool) -> None:
    """Refuse genotypes of several kinds, and what only CNN cells have beside a recurrent genotype.

    Raises:
        SettingsError: one of these.
    """
    kinds = {kind_of(source.genotype): source.path for source in sources}
    if len(kinds) > 1:
        found = ", ".join(f"{path} is a {kind}" for kind, path in kinds.items())
        raise SettingsError(f"the genotypes of one retraining must be of one kind: {found}; retrain them one by one")
    if RECURRENT not in kinds:
        return
    for flag, is_given in (("--auxiliary", auxiliary), ("--drop-path", recipe.drop_path > 0)):
        if is_given:
            raise SettingsError(f"{flag} is for CNN cells; {kinds[RECURRENT]} holds a recurrent genotype")
