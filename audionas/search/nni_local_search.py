"""Local search as an NNI strategy.

Source: White, Nolen, Savani 2021, "Exploring the Loss Landscape in Neural Architecture Search", algorithm 1 and
appendix: best of some random draws, then to a better neighbour while there is one, then anew.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from nni.nas.execution.event import ModelEventType
from nni.nas.strategy import Strategy

from audionas.search.nni_samples import Sample, Samples


class LocalSearch(Strategy):  # type: ignore[misc]
    """Climbs from the best of `draws` random architectures; at a local optimum it starts anew.

    A neighbour differs in one choice. With `whole_neighbourhood` all neighbours are tried before the best of them
    is taken; else the first that is better.
    """

    def __init__(self, *, draws: int, whole_neighbourhood: bool, seed: int) -> None:
        super().__init__()
        self._draws, self._whole = draws, whole_neighbourhood
        self._random_state = np.random.RandomState(seed)
        self._best: tuple[float, Sample] | None = None

    def _initialize(self, model_space: Any, engine: Any) -> Any:
        self._samples = Samples(model_space, self._random_state)
        engine.register_model_event_callback(ModelEventType.TrainingEnd, self._hear)
        return model_space

    def _cleanup(self) -> None:
        self.engine.unregister_model_event_callback(ModelEventType.TrainingEnd, self._hear)

    def _run(self) -> None:
        while self._start():
            while self._climb():
                pass

    def _start(self) -> bool:
        """Forget the last optimum and try some draws; whether the budget and the space allow more."""
        self._best = None
        draws = 0
        while draws < self._draws or self._best is None:
            sample = self._samples.draw()
            if sample is None or not self._submit(sample):
                return False
            draws += 1
            if draws >= self._draws:
                self.engine.wait_models()
        return True

    def _climb(self) -> bool:
        """Try the neighbours of the best; whether one was better."""
        assert self._best is not None
        start = self._best[1]
        for sample in self._samples.neighbours(start):
            if not self.wait_for_resource():  # with several workers, this is where ends are heard of
                return False
            if not self._whole and self._best[1] is not start:
                return True
            if self._samples.note(sample):
                self.engine.submit_models(self.model_space.freeze(sample))
        self.engine.wait_models()
        return self._best[1] is not start

    def _submit(self, sample: Sample) -> bool:
        if not self.wait_for_resource():
            return False
        self.engine.submit_models(self.model_space.freeze(sample))
        return True

    def _hear(self, event: Any) -> None:
        metric = event.model.metric
        if metric is not None and (self._best is None or metric > self._best[0]):
            self._best = (metric, event.model.sample)
