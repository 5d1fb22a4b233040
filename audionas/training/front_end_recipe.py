"""The recipe of a network whose genotype says how strong SpecAugment is."""

from __future__ import annotations

from audionas.spaces import CnnGenotype, Genotype
from audionas.training.recipe import Recipe


def recipe_of(genotype: Genotype, recipe: Recipe) -> Recipe:
    """The recipe with the genotype's SpecAugment; the recipe itself where the genotype says nothing of it."""
    front_end = genotype.front_end if isinstance(genotype, CnnGenotype) else None
    if front_end is None or front_end.spec_augment is None:
        return recipe
    masks = {"time_mask": front_end.spec_augment, "feature_mask": front_end.spec_augment}
    return recipe.model_copy(update={"augmentation": recipe.augmentation.model_copy(update=masks)})


def retraining_recipe_of(genotype: Genotype, recipe: Recipe) -> Recipe:
    """As `recipe_of`, but masks that the recipe itself asks for (`audionas retrain --time-mask`) go first."""
    has_masks = recipe.augmentation.time_mask > 0 or recipe.augmentation.feature_mask > 0
    return recipe if has_masks else recipe_of(genotype, recipe)
