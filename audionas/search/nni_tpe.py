"""Tree-structured Parzen estimator on NNI's tuner, without its sleep and without its repeats.

Source: Bergstra, Bardenet, Bengio, Kegl 2011, section 4. NNI's strategy sleeps a second for each trial; here it
waits for a worker. NNI answers a repeated suggestion with the next point of a grid, which has nothing to do with
what was learnt; here the suggestion is changed in one choice after another until its architecture is new.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import nni
import numpy as np
from nni.algorithms.hpo.tpe_tuner import TpeTuner
from nni.common.hpo_utils import deformat_parameters, format_parameters
from nni.nas.strategy.hpo import HPOTunerStrategy

from audionas.search.nni_samples import Samples


class DistinctTuner(TpeTuner):  # type: ignore[misc]
    """NNI's TPE tuner, maximising, whose suggestions are new architectures."""

    def __init__(self, settings: Mapping[str, Any], seed: int) -> None:
        super().__init__("maximize", seed, dict(settings))
        self._random_state = np.random.RandomState(seed)

    def learn_space(self, model_space: Any) -> None:
        """Take the choices of a model space."""
        choices = {label: mutable.as_legacy_dict() for label, mutable in model_space.simplify().items()}
        self._samples = Samples(model_space, self._random_state)
        self.update_search_space(choices)
        self.dedup = self._distinct

    def _distinct(self, suggested: Any) -> Any:
        """The suggestion in NNI's inner form, changed until it is new; the draws of a warm start come first.

        Raises:
            NoMoreTrialError: there is no new architecture any more.
        """
        start = self._samples.start()
        if start is not None:
            return format_parameters(start, self.space)
        sample = {label: str(option) for label, option in deformat_parameters(suggested, self.space).items()}
        if self._samples.note(sample):
            return suggested
        changed = self._samples.changed(sample)
        if changed is None:
            raise nni.NoMoreTrialError
        return format_parameters(changed, self.space)


class Tpe(HPOTunerStrategy):  # type: ignore[misc]
    """NNI's TPE strategy that waits for a worker and never sleeps."""

    def _run(self) -> None:
        self.tuner.learn_space(self.model_space)
        while self.wait_for_resource():
            try:
                sample = self.tuner.generate_parameters(self._model_count)
            except nni.NoMoreTrialError:
                return
            model = self.model_space.freeze(sample)
            self._model_to_id[model] = self._model_count
            self._model_count += 1
            self.engine.submit_models(model)
        self.engine.wait_models()
