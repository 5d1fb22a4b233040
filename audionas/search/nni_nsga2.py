"""NSGA-II as an NNI strategy, over the strings of our spaces.

Source: Deb et al. 2002, section III. Differences: choices are names and not numbers, so a child takes each choice
from either parent (uniform crossover) and changes each with probability 1 / number of choices to another option,
uniformly; an architecture is in the population once; a failed candidate never is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from nni.nas.execution.event import ModelEventType, TrainingEndEvent
from nni.nas.strategy import Strategy
from numpy.random import RandomState

from audionas.search.front import objective_values
from audionas.search.non_dominated import crowded_order
from audionas.seeding import derive, generator

N_DRAWS = 100  # of one child, until it is new


@dataclass(frozen=True)
class Individual:
    """A candidate that was trained; `values` are its objectives, all minimised."""

    genotype_hash: str
    sample: dict[str, str]
    values: tuple[float, ...]


class Nsga2(Strategy):  # type: ignore[misc]
    """Parents, as many children, and of both the best by rank and crowding; while the budget lasts."""

    def __init__(self, population: int, crossover: float, costs: tuple[str, ...], seed: int) -> None:
        super().__init__()
        self._size, self._crossover, self._costs, self._seed = population, crossover, costs, seed
        self._options: dict[str, list[str]] = {}
        self._parents: list[Individual] = []
        self._heard: list[Individual] = []
        self._seen: set[tuple[tuple[str, str], ...]] = set()

    def _initialize(self, model_space: Any, engine: Any) -> Any:
        engine.register_model_event_callback(ModelEventType.TrainingEnd, self._on_end)
        self._options = {str(label): list(choice.values) for label, choice in model_space.simplify().items()}
        return model_space

    def _cleanup(self) -> None:
        self.engine.unregister_model_event_callback(ModelEventType.TrainingEnd, self._on_end)

    def _run(self) -> None:
        generation = 0
        while self.engine.budget_available():
            submitted, n_seen = [], len(self._seen)
            for child in range(self._size):
                if not self.wait_for_resource():
                    break
                make = self._child if len(self._parents) > 1 else self._draw
                submitted.append(make(generation, child))
                self.engine.submit_models(submitted[-1])
            self.engine.wait_models(*submitted)
            self._select()
            generation += 1
            if len(self._seen) == n_seen:  # not one of many draws was new: the space is exhausted
                break

    def _draw(self, generation: int, child: int) -> Any:
        """A candidate of the first generation."""
        for draw in range(N_DRAWS):
            state = RandomState(derive(self._seed, "first", generation, child, draw) % 2**32)
            model = self.model_space.random(random_state=state)
            if self._is_new(model.sample):
                break
        return model

    def _child(self, generation: int, child: int) -> Any:
        """A candidate that was not proposed before; parents are in order, best first."""
        for draw in range(N_DRAWS):
            rng = generator(self._seed, "child", generation, child, draw)
            sample = self._mutated(self._crossed(rng), rng)
            if self._is_new(sample):
                break
        return self.model_space.freeze(sample)

    def _crossed(self, rng: np.random.Generator) -> dict[str, str]:
        first, second = self._winner(rng), self._winner(rng)
        if rng.uniform() >= self._crossover:
            return dict(first.sample)
        return {label: (first if rng.uniform() < 0.5 else second).sample[label] for label in self._options}

    def _winner(self, rng: np.random.Generator) -> Individual:
        """Of two drawn parents the better by rank, then by crowding: the one that stands first."""
        return self._parents[int(rng.integers(len(self._parents), size=2).min())]

    def _mutated(self, sample: dict[str, str], rng: np.random.Generator) -> dict[str, str]:
        for label, options in self._options.items():
            others = [option for option in options if option != sample[label]]
            if rng.uniform() < 1 / len(self._options) and others:
                sample[label] = others[int(rng.integers(len(others)))]
        return sample

    def _is_new(self, sample: dict[str, str]) -> bool:
        key = tuple(sorted(sample.items()))
        is_new = key not in self._seen
        self._seen.add(key)
        return is_new

    def _select(self) -> None:
        """The next parents, best first."""
        pool = list({each.genotype_hash: each for each in [*self._parents, *self._heard]}.values())
        self._heard = []
        if pool:
            values = np.array([each.values for each in pool], dtype=np.float64)
            self._parents = [pool[place] for place in crowded_order(values)[: self._size]]

    def _on_end(self, event: TrainingEndEvent) -> None:
        trial = event.model.trial
        if trial is not None and trial.score is not None:
            values = objective_values(trial, self.engine.objective, self._costs)
            self._heard.append(Individual(trial.hash, dict(trial.sample), values))
