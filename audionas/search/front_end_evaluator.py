"""`FrontEndEvaluator`: each candidate of a macro space is trained on the features that it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from audionas.search.evaluator import Score, SearchData, TrainingEvaluator
from audionas.spaces import CnnGenotype, Genotype


def front_end_key(genotype: Genotype) -> str:
    """Names the features that a genotype asks for; empty for those of its space."""
    front_end = genotype.front_end if isinstance(genotype, CnnGenotype) else None
    return front_end.key if front_end else ""


@dataclass(frozen=True)
class FrontEndEvaluator(TrainingEvaluator):
    """Hands a candidate to the evaluator of its front-end; all have the same parts, recipe and objective.

    What it has of a `TrainingEvaluator`, `data` above all, is that of the first front-end.
    """

    by_front_end: Mapping[str, TrainingEvaluator] = field(default_factory=dict)

    def evaluate(self, genotype: Genotype, **how: Any) -> Score:
        """The score of one candidate; see `TrainingEvaluator.evaluate`."""
        return self.by_front_end[front_end_key(genotype)].evaluate(genotype, **how)

    def proxy(self, genotype: Genotype, name: str, *, seed: int) -> float:
        """A zero-cost proxy of one candidate; see `TrainingEvaluator.proxy`."""
        return self.by_front_end[front_end_key(genotype)].proxy(genotype, name, seed=seed)

    def data_of(self, genotype: Genotype) -> SearchData:
        """The features that this candidate is trained on, with their input shape."""
        return self.by_front_end[front_end_key(genotype)].data
