"""The recipe of a retraining: the defaults of the genotype's kind, with what the user overrides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audionas.errors import SettingsError
from audionas.experiment.genotype_sources import Source
from audionas.models.baselines import baseline_of
from audionas.records import validate
from audionas.spaces import BaselineGenotype, Genotype, RecurrentGenotype
from audionas.training.recipe import Recipe, default_recipe

CNN, RECURRENT, BASELINE = "cnn_cell", "recurrent_cell", "baseline"
_USUAL = {"sgd": CNN, "adam": RECURRENT}  # which kind's defaults suit an optimiser


def kind_of(genotype: Genotype) -> str:
    """The kind of a genotype, as its file names it."""
    if isinstance(genotype, BaselineGenotype):
        return BASELINE
    return RECURRENT if isinstance(genotype, RecurrentGenotype) else CNN


def retrain_recipe(genotype: Genotype, overrides: Mapping[str, Any]) -> Recipe:
    """The usual recipe, unless overridden; another optimiser brings its own rate and decay.

    Raises:
        SettingsError: a key or a value is not accepted.
    """
    given = validate(Recipe, dict(overrides), "retrain")
    base = default_recipe(_USUAL[given.optimiser]) if "optimiser" in overrides else usual_recipe(genotype)
    return validate(Recipe, {**base.model_dump(), **overrides}, "retrain")


def usual_recipe(genotype: Genotype) -> Recipe:
    """SGD for CNN cells, Adam for recurrent ones; of a hand-made system that of its paper.

    Raises:
        SettingsError: the system is unknown.
    """
    if isinstance(genotype, BaselineGenotype):
        return validate(Recipe, dict(baseline_of(genotype).recipe), f"baseline {genotype.name}")
    return default_recipe(kind_of(genotype))


@dataclass(frozen=True)
class TrainingRules:
    """How long and on what batches a retraining trains, unless the user says otherwise."""

    epochs: int = 60
    batch_size: int = 16
    class_weighting: str = "balanced"


def rules_of(genotype: BaselineGenotype) -> TrainingRules:
    """Those of the paper of a hand-made system.

    Raises:
        SettingsError: the system is unknown.
    """
    found = baseline_of(genotype)
    return TrainingRules(found.epochs, found.batch_size, found.class_weighting)


def check_kinds(sources: Sequence[Source], recipe: Recipe, auxiliary: bool) -> None:
    """Refuse genotypes of several kinds, and what only CNN cells have beside a recurrent genotype.

    Raises:
        SettingsError: one of these.
    """
    kinds = {kind_of(source.genotype): source.path for source in sources}
    if len(kinds) > 1:
        found = ", ".join(f"{path} is a {kind}" for kind, path in kinds.items())
        raise SettingsError(f"the genotypes of one retraining must be of one kind: {found}; retrain them one by one")
    kind, path = next(iter(kinds.items()))
    if kind == CNN:
        return
    what = "a recurrent genotype" if kind == RECURRENT else "a hand-made system"
    for flag, is_given in (("--auxiliary", auxiliary), ("--drop-path", recipe.drop_path > 0)):
        if is_given:
            raise SettingsError(f"{flag} is for CNN cells; {path} holds {what}")
