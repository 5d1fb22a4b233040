"""Chooses one setting of a plain system by grouped inner folds of the training clips."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from sklearn.model_selection import GroupKFold

N_FOLDS = 5
Fit = Callable[[np.ndarray, np.ndarray, float], Callable[[np.ndarray], np.ndarray]]


def chosen(
    settings: Sequence[float],
    otherwise: float,
    fit: Fit,
    score: Callable[[np.ndarray, np.ndarray], float],
    clips: tuple[np.ndarray, np.ndarray, np.ndarray],
    seed: int,
) -> float:
    """The setting with the best score of the pooled inner predictions; of equals the first.

    Args:
        otherwise: the answer where there is one group only, and so nothing to validate on.
        fit: from inputs (clips, ...), targets (clips, outputs) and a setting to a predictor.
        score: of targets and predictions, more is better.
        clips: inputs, targets and groups (clips,).
    """
    inputs, targets, groups = clips
    n_folds = min(N_FOLDS, len(set(groups.tolist())))
    if n_folds < 2:
        return otherwise
    folds = list(GroupKFold(n_folds, shuffle=True, random_state=seed).split(inputs, targets, groups))
    best, highest = otherwise, -np.inf
    for setting in settings:
        predicted = np.zeros(targets.shape, dtype=np.float64)
        for train, test in folds:
            predicted[test] = fit(inputs[train], targets[train], setting)(inputs[test])
        found = score(targets, predicted)
        if found > highest + 1e-12:
            best, highest = setting, found
    return best
