"""`System`: the predictions of one system, every retraining seed over all test clips; what all statistics read.

The unit of every statistic is the group (speaker). Seeds are averaged within it, folds are joined before it: there is
no way to hand over a seed or a fold as a sample of its own, because every seed has to hold the same clips.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from audionas.errors import RunError
from audionas.statistics.scores import UA, Score
from audionas.training.predictions import Predictions


@dataclass(frozen=True)
class System:
    """A system's predictions, clips in the order of their names.

    Attributes:
        name: what errors and tables call it.
        seeds: one element a retraining seed, each with all test clips of all folds.
        score: what it is judged by.
        are_groups_known: False where each file is its own group, as nothing is known of speakers.
        is_deterministic: a system without seeds, e.g. logistic regression.

    Raises:
        RunError: there are no predictions, two seeds are not of the same clips, or a clip stands twice.
    """

    name: str
    seeds: tuple[Predictions, ...]
    score: Score = UA
    are_groups_known: bool = True
    is_deterministic: bool = False

    def __post_init__(self) -> None:
        if not self.seeds or not self.seeds[0].clips:
            raise RunError(f"{self.name}: no predictions")
        object.__setattr__(self, "seeds", tuple(_in_order(self.name, found) for found in self.seeds))
        for number, found in enumerate(self.seeds[1:], start=2):
            why = unlike(self.seeds[0], found)
            if why:
                raise RunError(
                    f"{self.name}: seeds 1 and {number} of {len(self.seeds)} are not of the same clips ({why}); join "
                    "the folds of a seed first, a fold is no sample of its own"
                )

    @property
    def truth(self) -> np.ndarray:
        """The truth of each clip: (clips, ...)."""
        return self.seeds[0].truth

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels, as the scores' columns."""
        return self.seeds[0].labels

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The groups, sorted."""
        return tuple(sorted(set(self.seeds[0].groups)))

    @cached_property
    def group_of_clip(self) -> np.ndarray:
        """Index into `groups` of each clip: (clips,) int64."""
        index = {group: i for i, group in enumerate(self.groups)}
        return np.array([index[group] for group in self.seeds[0].groups], dtype=np.int64)

    @cached_property
    def counts(self) -> np.ndarray:
        """Confusion counts, rows are true classes: (groups, seeds, classes, classes) float64."""
        n_groups, n_classes = len(self.groups), len(self.labels)
        each = []
        for found in self.seeds:
            cells = (self.group_of_clip * n_classes + found.truth) * n_classes + found.scores.argmax(axis=1)
            each.append(np.bincount(cells, minlength=n_groups * n_classes**2))
        shape = (len(self.seeds), n_groups, n_classes, n_classes)
        return np.moveaxis(np.stack(each).reshape(shape), 0, 1).astype(np.float64)

    def repeated(self, n_seeds: int) -> System:
        """The same with its one seed repeated."""
        return replace(self, seeds=self.seeds * n_seeds)


def unlike(first: Predictions, second: Predictions) -> str | None:
    """How two tables, clips in the same order, differ in labels, clips, groups or truth; None where they do not."""
    if first.labels != second.labels:
        return f"labels {', '.join(first.labels)} and {', '.join(second.labels)}"
    if first.clips != second.clips:
        odd = sorted(set(first.clips) ^ set(second.clips))
        return f"{len(first.clips)} and {len(second.clips)} clips; only one has {odd[0]!r}"
    if first.groups != second.groups:
        i = next(i for i, pair in enumerate(zip(first.groups, second.groups, strict=True)) if pair[0] != pair[1])
        return f"clip {first.clips[i]!r} is of group {first.groups[i]!r} and {second.groups[i]!r}"
    differs = np.flatnonzero((first.truth != second.truth).reshape(len(first.clips), -1).any(axis=1))
    return f"the truth of clip {first.clips[differs[0]]!r} differs" if len(differs) else None


def paired(first: System, second: System) -> tuple[System, System]:
    """Two systems as they can be compared: with the same number of seeds, those of a deterministic one repeated.

    Raises:
        RunError: they are not of the same clips, groups and truth, or are scored differently, or have other numbers of
            seeds.
    """
    names = f"{first.name} and {second.name}"
    why = unlike(first.seeds[0], second.seeds[0])
    if why:
        raise RunError(f"{names}: not of the same clips ({why}); compare runs of the same data and test folds")
    if first.score.name != second.score.name:
        raise RunError(f"{names}: scored by {first.score.name} and {second.score.name}; score both alike")
    sizes = len(first.seeds), len(second.seeds)
    if sizes[0] == sizes[1]:
        return first, second
    if first.is_deterministic and sizes[0] == 1:
        return first.repeated(sizes[1]), second
    if second.is_deterministic and sizes[1] == 1:
        return first, second.repeated(sizes[0])
    raise RunError(f"{names}: {sizes[0]} and {sizes[1]} seeds; retrain both with the same number of seeds")


def _in_order(name: str, found: Predictions) -> Predictions:
    order = sorted(range(len(found.clips)), key=found.clips.__getitem__)
    clips = tuple(found.clips[i] for i in order)
    twice = next((one for one, other in pairwise(clips) if one == other), None)
    if twice is not None:
        raise RunError(f"{name}: clip {twice!r} is tested twice in one seed; give each clip one test fold")
    groups = tuple(found.groups[i] for i in order)
    return replace(found, clips=clips, groups=groups, truth=found.truth[order], scores=found.scores[order])
