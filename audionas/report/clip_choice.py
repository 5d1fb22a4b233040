"""Which test clips to listen to: those of which the network was surest, where it was right and where it was wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from audionas.training.prediction_columns import THRESHOLD
from audionas.training.predictions import Predictions

MOST_CLIPS = 8


@dataclass(frozen=True)
class Chosen:
    """Rows of the predictions, the surest (of a regression the nearest) first; what the two kinds are called."""

    right: tuple[int, ...]
    wrong: tuple[int, ...]
    right_title: str = "Right, and surest of it"
    wrong_title: str = "Wrong, and surest of it"


def choose_clips(found: Predictions) -> Chosen:
    """At most `MOST_CLIPS`, half of each kind where there are so many; of equally sure ones the first by name.

    Of classes the surest of each class, by the score of what was predicted; of more classes than fit the surest of
    these. Of several labels a clip is right when its set of labels is, and as sure as of its least sure label (wrong:
    as far off as its worst). Of a regression the clips with the least and the largest error, in sd of each target.
    """
    if found.task == "classification":
        predicted = found.scores.argmax(axis=1)
        confidence = found.scores.max(axis=1)
        is_right = predicted == found.truth
        right = _surest_of_each(found, np.flatnonzero(is_right), confidence)
        wrong = _surest_of_each(found, np.flatnonzero(~is_right), confidence)
        return Chosen(*_shared_out(right, wrong))
    if found.task == "multilabel":
        is_right = ((found.scores >= THRESHOLD) == (found.truth > 0)).all(axis=1)
        right = _ordered(found, np.flatnonzero(is_right), np.abs(found.scores - THRESHOLD).min(axis=1))
        wrong = _ordered(found, np.flatnonzero(~is_right), np.abs(found.scores - found.truth).max(axis=1))
        return Chosen(*_shared_out(right, wrong))
    spread = found.truth.std(axis=0)
    errors = (np.abs(found.scores - found.truth) / np.where(spread > 0, spread, 1.0)).mean(axis=1)
    everything = np.arange(len(found.clips))
    n_each = min(MOST_CLIPS // 2, len(everything) // 2)
    nearest, farthest = _ordered(found, everything, -errors), _ordered(found, everything, errors)
    return Chosen(nearest[:n_each], farthest[:n_each], "Nearest to the truth", "Farthest from the truth")


def _surest_of_each(found: Predictions, rows: np.ndarray, confidence: np.ndarray) -> tuple[int, ...]:
    """One row a true class, the surest first."""
    best: dict[int, int] = {}
    for row in _ordered(found, rows, confidence):
        best.setdefault(int(found.truth[row]), row)
    return tuple(best.values())


def _ordered(found: Predictions, rows: np.ndarray, confidence: np.ndarray) -> tuple[int, ...]:
    return tuple(sorted(map(int, rows), key=lambda row: (-float(confidence[row]), found.clips[row])))


def _shared_out(right: Sequence[int], wrong: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Half of the places each; what one kind leaves free goes to the other."""
    half = MOST_CLIPS // 2
    n_right = min(len(right), max(half, MOST_CLIPS - len(wrong)))
    return tuple(right[:n_right]), tuple(wrong[: MOST_CLIPS - n_right])
