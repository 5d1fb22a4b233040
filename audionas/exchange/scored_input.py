"""What a model wants to be fed, and which of its networks read it: the same for torch networks and ONNX files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from pydantic import Field

from audionas.audio.manifest import Task
from audionas.features import Extractor, extractor_from_settings
from audionas.records import Record

Fed = tuple[np.ndarray, np.ndarray | None]
"""Raw features (rows, channels, features, frames) float32 with zeros in the padding, and own frames (rows,) int64."""


class ScoredInput(Record):
    """One setting of the features, with names of the graph's input and output for it.

    `features` are not normalised: every network normalises what it reads. `lengths` is the input that tells own frames
    from padding, None where padding counts. `scores` is the output with the mean over the `networks` that read this
    input. `is_any_length`: the graph takes any number of frames, and not only that of `shape`.
    """

    features: str
    lengths: str | None
    scores: str
    settings: dict[str, Any]
    shape: tuple[int, int, int]
    networks: tuple[str, ...] = Field(min_length=1)
    is_any_length: bool = True

    @property
    def extractor(self) -> Extractor:
        """The extractor of the settings.

        Raises:
            SettingsError: a setting is not one of those accepted.
        """
        return extractor_from_settings(dict(self.settings), "the features of this model")


class Scorer(Protocol):
    """A model that scores windows of features."""

    @property
    def task(self) -> Task:
        """The kind of label."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels, or targets of a regression, in the order of the scores."""
        ...

    @property
    def inputs(self) -> tuple[ScoredInput, ...]:
        """What it is fed; several where networks were trained on different features."""
        ...

    @property
    def longest_s(self) -> float:
        """The longest clip of its corpus."""
        ...

    def scores(self, fed: Sequence[Fed]) -> list[np.ndarray]:
        """For each input the mean over its networks, (rows, labels) float64; all inputs have the same rows."""
        ...


def mean_over_networks(each: Sequence[np.ndarray], inputs: Sequence[ScoredInput]) -> np.ndarray:
    """The mean over all networks, each alike, from the means of each input's networks."""
    counts = [len(given.networks) for given in inputs]
    return np.asarray(np.average(np.stack(each), axis=0, weights=counts))
