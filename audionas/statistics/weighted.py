"""A system's score when groups count other than once: left out (0), or drawn several times."""

from __future__ import annotations

import numpy as np

from audionas.statistics.system import System

_CHUNK_NUMBERS = 4_000_000  # float64 of one chunk of summed counts: 32 MB


def weighted_scores(system: System, times: np.ndarray) -> np.ndarray:
    """The score of all clips, each group's taken `times` (cases, groups) int64; mean over seeds: (cases,) float64."""
    if system.score.of_confusion is None:
        return np.array([_of_rows(system, case) for case in times])
    n_groups = len(system.groups)
    flat = system.counts.reshape(n_groups, -1)
    size = max(1, _CHUNK_NUMBERS // flat.shape[1])
    each = []
    for first in range(0, len(times), size):
        summed = times[first : first + size].astype(np.float64) @ flat
        each.append(system.score.of_confusion(summed.reshape(-1, *system.counts.shape[1:])).mean(axis=1))
    return np.concatenate([np.zeros(0), *each])


def pooled_score(system: System) -> float:
    """The score of all clips, mean over seeds."""
    return float(weighted_scores(system, np.ones((1, len(system.groups)), dtype=np.int64))[0])


def _of_rows(system: System, case: np.ndarray) -> float:
    rows = np.repeat(np.arange(len(system.truth)), case[system.group_of_clip])
    found = [system.score.of_rows(each.truth[rows], each.scores[rows], each.labels) for each in system.seeds]
    return float(np.mean(found))
