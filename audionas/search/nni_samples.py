"""Samples of an NNI model space as our algorithms draw and change them: each architecture once.

A sample is a mapping label -> option. Different samples may give one architecture (always so in recurrent spaces,
where what an operation has no use for is ignored), so what is known is kept by the architecture's hash.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from audionas.search.nni_zero_cost import next_start
from audionas.spaces import SearchSpace

ATTEMPTS = 1000  # in a row without a new architecture: then the space counts as exhausted
Sample = dict[str, str]


class Samples:
    """Draws and changes samples of a space, with a generator that has `randint` (numpy's RandomState)."""

    def __init__(self, model_space: Any, random_state: Any) -> None:
        self._model_space = model_space
        self._space: SearchSpace = model_space.model.trace_kwargs["space"]
        self._random_state = random_state
        self.choices = dict(self._space.choices())
        self._open = [label for label, options in self.choices.items() if len(options) > 1]
        self._known: set[str] = set()

    def note(self, sample: Sample) -> bool:
        """Whether the architecture of a sample is new; from now on it is known."""
        found = self._space.genotype(sample).hash
        if found in self._known:
            return False
        self._known.add(found)
        return True

    def draw(self) -> Sample | None:
        """A new architecture, each choice drawn uniformly; None if there seems to be none left.

        The draws of a warm start come first.
        """
        start = self.start()
        if start is not None:
            return start
        for _ in range(ATTEMPTS):
            sample = {label: options[self._below(len(options))] for label, options in self.choices.items()}
            if self.note(sample):
                return sample
        return None

    def start(self) -> Sample | None:
        """The next draw of a warm start; None where none is left."""
        while (sample := next_start(self._model_space)) is not None:
            if self.note(sample):
                return sample
        return None

    def changed(self, sample: Sample, n_changes: int = 1) -> Sample | None:
        """A new architecture: `n_changes` choices take another option, then one more each time until it is new."""
        if not self._open:
            return None
        for _ in range(n_changes - 1):
            sample = self._step(sample)
        for _ in range(ATTEMPTS):
            sample = self._step(sample)
            if self.note(sample):
                return sample
        return None

    def neighbours(self, sample: Sample) -> list[Sample]:
        """Every sample that differs in one choice, in an order drawn anew; known architectures are among them."""
        found = list(self._neighbours(sample))
        for last in range(len(found) - 1, 0, -1):
            other = self._below(last + 1)
            found[last], found[other] = found[other], found[last]
        return found

    def _neighbours(self, sample: Sample) -> Iterator[Sample]:
        for label in self._open:
            yield from ({**sample, label: option} for option in self.choices[label] if option != sample[label])

    def _step(self, sample: Sample) -> Sample:
        label = self._open[self._below(len(self._open))]
        others = [option for option in self.choices[label] if option != sample[label]]
        return {**sample, label: others[self._below(len(others))]}

    def _below(self, n: int) -> int:
        return int(self._random_state.randint(n))
