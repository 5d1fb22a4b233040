"""Policy gradient (PPO) on NNI's implementation, with every act of chance keyed and nothing learnt too late.

Source: Zoph and Le 2017, "Neural Architecture Search with Reinforcement Learning" (a recurrent network proposes choice
after choice and is trained by the score); Schulman et al. 2017 (PPO), which NNI takes from tianshou.
NNI draws from the global generators and hands Adam a `set` of parameters; here each proposal and each update has a key
of its own, and the order is fixed. NNI ignores candidates without a score; here they count as the worst so far, or the
policy would go on proposing what fails or is over a limit. A policy that has made up its mind repeats itself; here a
repeat is changed in one choice after another until it is new, and the policy learns from what was trained.
What is computed stands in `nni_policy_network`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from audionas.search.extra_rl import policy_based_rl
from audionas.search.nni_samples import Sample, Samples
from audionas.seeding import derive

PolicyBasedRL = policy_based_rl().PolicyBasedRL  # before what follows: with tianshou, and without gym's notice

from audionas.search.nni_policy_network import draw, make_policy, trajectory  # noqa: E402


class KeyedPolicy(PolicyBasedRL):  # type: ignore[misc,valid-type]
    """NNI's PolicyBasedRL; proposals are keyed by (seed, "proposal", number), updates by (seed, "update", number)."""

    _running_models: list[tuple[Any, list[int]]]

    def __init__(self, seed: int, *, samples_per_update: int, learning_rate: float, hidden: int, repeats: int) -> None:
        super().__init__(
            samples_per_update=samples_per_update,
            policy_fn=lambda environment: new_policy(environment, seed, learning_rate, hidden),
            update_kwargs={"batch_size": 32, "repeat": repeats},
        )
        self._seed = seed
        self._n_updates = 0
        self._worst: float | None = None

    def _initialize(self, model_space: Any, engine: Any) -> Any:
        self._samples = Samples(model_space, np.random.RandomState(derive(self._seed, "changes") % 2**32))
        self._options = {str(label): list(choice.values) for label, choice in model_space.simplify().items()}
        self._n_options = [len(options) for options in self._options.values()]
        return super()._initialize(model_space, engine)

    def _run(self) -> None:
        self._policy.train()
        for number in itertools.count():
            if not self.wait_for_resource():  # this is where ends are heard of
                return
            self._harvest_running_models()
            with keyed_chance(derive(self._seed, "proposal", number)):
                taken = self._new_candidate()
            if taken is None:
                return
            model = self.model_space.freeze(self._sample(taken))
            self._running_models.append((model, taken))
            self.engine.submit_models(model)

    def _new_candidate(self) -> list[int] | None:
        """The options of a new architecture, as their numbers; None if there seems to be none left."""
        taken = draw(self._policy, self._n_options)
        sample = self._sample(taken)
        if self._samples.note(sample):
            return taken
        changed = self._samples.changed(sample)
        if changed is None:
            return None
        return [options.index(changed[label]) for label, options in self._options.items()]

    def _sample(self, taken: list[int]) -> Sample:
        return {label: options[k] for (label, options), k in zip(self._options.items(), taken, strict=True)}

    def _harvest_running_models(self) -> bool:
        """Learn from what has ended, in the order of proposal; whether the policy was updated last."""
        running, is_updated = [], True
        for model, taken in self._running_models:
            if not model.status.completed():
                running.append((model, taken))
                continue
            reward = self._reward(model.metric)
            if reward is not None:
                is_updated = self._add_trajectory(trajectory(taken, self._n_options, reward))
        self._running_models = running
        return is_updated

    def _reward(self, metric: float | None) -> float | None:
        """The score; without one the worst so far, if any."""
        if metric is not None:
            self._worst = metric if self._worst is None else min(self._worst, metric)
            return metric
        return self._worst

    def _update_policy(self) -> None:
        with keyed_chance(derive(self._seed, "update", self._n_updates)):
            super()._update_policy()
        self._n_updates += 1


def new_policy(environment: Any, seed: int, learning_rate: float, hidden: int) -> Any:
    """NNI's default PPO policy (an LSTM over the choices so far), its weights keyed."""
    with keyed_chance(derive(seed, "policy")):
        return make_policy(environment, learning_rate, hidden)


@contextmanager
def keyed_chance(seed: int) -> Iterator[None]:
    """Within: torch's and numpy's global generators, which tianshou draws from, start from `seed`; then as before."""
    kept = np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002
        try:
            yield
        finally:
            np.random.set_state(kept)  # noqa: NPY002
