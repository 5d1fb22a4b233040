"""SpecAugment as a genotype of a macro space asks for it."""

from __future__ import annotations

from audionas.spaces import CnnGenotype, FrontEnd
from audionas.training.front_end_recipe import recipe_of, retraining_recipe_of
from audionas.training.recipe import Augmentation, Recipe

EDGES = (("skip_connect", 0), ("skip_connect", 1))
MASKED = Recipe(augmentation=Augmentation(time_mask=0.5, mixup_alpha=0.3))


def genotype(front_end: FrontEnd | None) -> CnnGenotype:
    return CnnGenotype(EDGES, (2,), EDGES, (2,), front_end=front_end)


def test_a_genotype_sets_both_masks_and_leaves_the_rest() -> None:
    found = recipe_of(genotype(FrontEnd(spec_augment=0.2)), MASKED)
    assert found.augmentation == Augmentation(time_mask=0.2, feature_mask=0.2, mixup_alpha=0.3)
    assert found.model_copy(update={"augmentation": MASKED.augmentation}) == MASKED


def test_none_at_all_is_a_strength_too() -> None:
    assert recipe_of(genotype(FrontEnd(spec_augment=0.0)), MASKED).augmentation.time_mask == 0


def test_a_genotype_that_says_nothing_of_it_changes_nothing() -> None:
    assert recipe_of(genotype(None), MASKED) is MASKED
    assert recipe_of(genotype(FrontEnd(n_mels=8)), MASKED) is MASKED


def test_masks_asked_for_in_retraining_go_before_those_of_the_genotype() -> None:
    asked = genotype(FrontEnd(spec_augment=0.2))
    assert retraining_recipe_of(asked, MASKED) is MASKED
    assert retraining_recipe_of(asked, Recipe()).augmentation.feature_mask == 0.2
