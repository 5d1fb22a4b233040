"""`FrontEndEvaluator` hands each candidate to the evaluator of its features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from audionas.search.front_end_evaluator import FrontEndEvaluator, front_end_key
from audionas.spaces import CnnGenotype, FrontEnd, Genotype
from audionas.spaces.reference_recipes import reference_recipe
from audionas.training.recipe import Recipe

EDGES = (("skip_connect", 0), ("skip_connect", 1))


@dataclass
class Named:
    data: str

    def evaluate(self, genotype: Genotype, *, epochs: int, seed: int) -> Any:
        return (self.data, epochs, seed)


def genotype(front_end: FrontEnd | None) -> CnnGenotype:
    return CnnGenotype(EDGES, (2,), EDGES, (2,), front_end=front_end)


def test_each_candidate_goes_to_its_features_whatever_its_masks() -> None:
    table: dict[str, Any] = {"n_mels 8": Named("eight"), "n_mels 16": Named("sixteen")}
    evaluator = FrontEndEvaluator("eight", Recipe(), by_front_end=table)  # type: ignore[arg-type]
    for masks in (None, 0.0, 0.2):
        asked = genotype(FrontEnd(n_mels=16, spec_augment=masks))
        assert evaluator.evaluate(asked, epochs=3, seed=7) == ("sixteen", 3, 7)
        assert evaluator.data_of(asked) == "sixteen"
    assert evaluator.data == "eight"


def test_a_genotype_without_a_front_end_asks_for_the_features_of_its_space() -> None:
    assert front_end_key(genotype(None)) == front_end_key(genotype(FrontEnd(spec_augment=0.1))) == ""
    assert front_end_key(reference_recipe("gru")) == ""
