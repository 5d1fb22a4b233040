"""Permutation test of a pooled score against chance: would a system that cannot tell the labels score as high?

Labels are permuted, predictions stay. Where a group holds several labels they change places among its own clips, so
that a system that only recognises speakers gains nothing. Groups with one label each exchange it with one another, as
there the labels belong to the speakers. p = (1 + permutations that score at least as high) / (1 + permutations);
the score is the mean over seeds, under the same permutation of all seeds.

Source: Good, 2005, section 3.2; exchangeable blocks: Winkler et al., "Multi-level block permutation", 2015; the +1:
Phipson, Smyth, "Permutation p-values should never be zero", 2010.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from audionas.quantities import count_text
from audionas.seeding import generator
from audionas.statistics.system import System
from audionas.statistics.weighted import pooled_score

ALPHA = 0.05
N_PERMUTATIONS = 9_999
N_PERMUTATIONS_SLOW = 1_999  # of a score that is no function of counts, and of large corpora
LARGE = 20_000  # clips
ABOVE, NOT_ABOVE = "above chance", "not above chance"
_TIE = 1e-12
_CHUNK_NUMBERS = 2_000_000


@dataclass(frozen=True)
class Chance:
    """The p value, of how many permutations, and which they were, in words."""

    p: float
    permutations: int
    how: str

    @property
    def verdict(self) -> str:
        """Whether the score is above chance at 5 %."""
        return ABOVE if self.p <= ALPHA else NOT_ABOVE

    def as_record(self) -> dict[str, Any]:
        """JSON form."""
        return {"p": self.p, "permutations": self.permutations, "how": self.how}


def chance(system: System, n: int | None = None) -> Chance:
    """The test of the system's pooled score, mean over seeds, with n permutations; by default as many as are quick."""
    is_fast = system.score.is_of_counts and len(system.truth) <= LARGE
    n = n or (N_PERMUTATIONS if is_fast else N_PERMUTATIONS_SLOW)
    of = _scores_of_counts if system.score.is_of_counts else _scores_of_rows
    observed = pooled_score(system) - _TIE
    hits = sum(int(np.sum(of(system, rows) >= observed)) for rows in _permuted_rows(system, n))
    return Chance((1 + hits) / (1 + n), n, _how(system))


def _how(system: System) -> str:
    mixed = int(_is_mixed(system).sum())
    single = len(system.groups) - mixed
    parts = []
    if mixed:
        parts.append(f"within each of {count_text(mixed, 'group')}")
    if single:
        parts.append(f"among {count_text(single, 'group')} of one label each")
    what = "targets" if system.seeds[0].task == "regression" else "labels"
    return f"{what} permuted {' and '.join(parts)}"


def _is_mixed(system: System) -> np.ndarray:
    """Which groups hold several labels: (groups,) bool."""
    group_of_clip, truth = system.group_of_clip, system.truth
    first = np.unique(group_of_clip, return_index=True)[1]
    differs = (truth != truth[first][group_of_clip]).reshape(len(truth), -1).any(axis=1)
    return np.asarray(np.bincount(group_of_clip, weights=differs, minlength=len(first)) > 0)


def _permuted_rows(system: System, n: int) -> Iterator[np.ndarray]:
    """For each clip the row whose label it gets: (permutations, clips) int64, chunk after chunk, n in all."""
    group_of_clip = system.group_of_clip
    is_mixed = _is_mixed(system)
    members = [np.flatnonzero(group_of_clip == group) for group in range(len(system.groups))]
    single = np.array([own[0] for own, mixed in zip(members, is_mixed, strict=True) if not mixed], dtype=np.int64)
    place = np.cumsum(~is_mixed) - 1  # of a group among those of one label
    is_single_clip = ~is_mixed[group_of_clip]
    rng = generator(0, "chance", len(group_of_clip))
    size = max(1, _CHUNK_NUMBERS // len(group_of_clip))
    for start in range(0, n, size):
        n_here = min(size, n - start)
        rows = np.tile(np.arange(len(group_of_clip)), (n_here, 1))
        for own, mixed in zip(members, is_mixed, strict=True):
            if mixed:
                rows[:, own] = rng.permuted(rows[:, own], axis=1)
        if len(single):
            among = rng.permuted(np.tile(single, (n_here, 1)), axis=1)
            rows[:, is_single_clip] = among[:, place[group_of_clip[is_single_clip]]]
        yield rows


def _scores_of_counts(system: System, rows: np.ndarray) -> np.ndarray:
    """The score under each permutation (permutations, clips), mean over seeds: (permutations,)."""
    assert system.score.of_confusion is not None
    n_classes, shape = len(system.labels), (len(rows), len(system.labels), len(system.labels))
    truth = system.truth[rows] + n_classes * np.arange(len(rows))[:, None]
    each = []
    for found in system.seeds:
        cells = truth * n_classes + found.scores.argmax(axis=1)
        counts = np.bincount(cells.ravel(), minlength=int(np.prod(shape))).reshape(shape)
        each.append(system.score.of_confusion(counts.astype(np.float64)))
    return np.asarray(np.mean(each, axis=0))


def _scores_of_rows(system: System, rows: np.ndarray) -> np.ndarray:
    """The same by scoring every clip anew."""
    found = [
        np.mean([system.score.of_rows(system.truth[case], each.scores, system.labels) for each in system.seeds])
        for case in rows
    ]
    return np.array(found)
