"""Regularised evolution on NNI's implementation, with the paper's mutation and no architecture twice.

Source: Real, Aggarwal, Huang, Le 2019 (AmoebaNet), algorithm 1. Population, tournament and ageing are NNI's. NNI
mutates each choice with a small probability and may draw the old option again, so that many of its children equal
their parent; here `n_mutations` choices take another option, and a child that is known is mutated once more.
"""

from __future__ import annotations

from typing import Any

from nni.nas.strategy import RegularizedEvolution

from audionas.search.nni_samples import Samples


class DistinctEvolution(RegularizedEvolution):  # type: ignore[misc]
    """NNI's regularised evolution, with children that are new architectures."""

    def __init__(self, *, n_mutations: int, **settings: Any) -> None:
        super().__init__(dedup=False, **settings)
        self._n_mutations = n_mutations
        self._retry_helper.retries = 1  # `Samples` looks for a new one itself

    def _initialize(self, model_space: Any, engine: Any) -> Any:
        self._samples = Samples(model_space, self._random_state)
        return super()._initialize(model_space, engine)

    def random(self) -> Any:
        """A new architecture, drawn uniformly; None ends the search."""
        return self._model(self._samples.draw())

    def new_individual(self) -> Any:
        """A new architecture mutated from the best of a tournament; None ends the search."""
        if not self._population:  # all others still run, or failed
            return self.random()
        return self._model(self._samples.changed(self.best_parent(), self._n_mutations))

    def _model(self, sample: dict[str, str] | None) -> Any:
        return None if sample is None else self.model_space.freeze(sample)
