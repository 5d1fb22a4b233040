"""The bootstrap over groups of `intervals` for the scores of every task: same groups, same draws, other scores.

Drawing a group k times is giving its clips the weight k. Average precision, area under the curve, CCC and RMSE are
computed with these weights, so that no table of clips is copied. Clips of equal score stand at one threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from audionas.seeding import generator
from audionas.training.intervals import N_DRAWS, Draws, bootstrap, group_counts
from audionas.training.predictions import Predictions

_CHUNK = 50
WeightedScores = Callable[[Predictions, np.ndarray], tuple[np.ndarray, np.ndarray]]


def draws_of(seeds: Sequence[Predictions], n_draws: int = N_DRAWS) -> Draws:
    """Main and second score of draws of groups, mean over seeds, of predictions of any task."""
    if seeds[0].task == "classification":
        return bootstrap(group_counts(seeds), n_draws)
    groups = tuple(sorted(set(seeds[0].groups)))
    scored = WEIGHTED[seeds[0].task]
    main, second = [], []
    for times in _times(len(groups), n_draws):
        each = [scored(found, times[:, np.searchsorted(groups, found.groups)].astype(np.float64)) for found in seeds]
        main.append(np.mean([first for first, _ in each], axis=0))
        second.append(np.mean([other for _, other in each], axis=0))
    return Draws(groups, np.concatenate(main), np.concatenate(second))


def _times(n_groups: int, n_draws: int) -> Iterator[np.ndarray]:
    """How often each group is drawn, (chunk, groups) after (chunk, groups); the draws of `intervals.bootstrap`."""
    rng = generator(0, "bootstrap over groups", n_groups)
    for first in range(0, n_draws, _CHUNK):
        yield rng.multinomial(n_groups, np.full(n_groups, 1.0 / n_groups), min(_CHUNK, n_draws - first))


def weighted_label_scores(found: Predictions, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """mAP and macro AUC, (draws,) each, of clips weighted by (draws, clips); labels that a draw lacks are left out."""
    pairs = [_ranking(found.truth[:, i] > 0, found.scores[:, i], weights) for i in range(len(found.labels))]
    return (
        _mean_present(np.stack([precision for precision, _ in pairs]), 0.0),
        _mean_present(np.stack([area for _, area in pairs]), 0.5),
    )


def _ranking(truth: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Average precision and area under the ROC curve of one label, (draws,) each, nan where a draw has none."""
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)  # of each threshold
    sorted_weights = weights[:, order]
    right = np.cumsum(sorted_weights * truth[order], axis=1)[:, last]
    wrong = np.cumsum(sorted_weights * ~truth[order], axis=1)[:, last]
    found = np.maximum(right + wrong, 1e-300)
    gained, missed = (np.diff(part, axis=1, prepend=0.0) for part in (right, wrong))
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = (gained * right / found).sum(axis=1) / right[:, -1]
        area = (missed * (right - gained / 2)).sum(axis=1) / (right[:, -1] * wrong[:, -1])
    return precision, area


def _mean_present(values: np.ndarray, otherwise: float) -> np.ndarray:
    """(labels, draws) -> (draws,), over what is not nan."""
    present = np.isfinite(values)
    total = np.where(present, values, 0.0).sum(axis=0)
    counts = present.sum(axis=0)
    return np.asarray(np.where(counts > 0, total / np.maximum(counts, 1), otherwise))


def weighted_target_scores(found: Predictions, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """CCC and RMSE, the mean over targets, (draws,) each, of clips weighted by (draws, clips)."""
    share = weights / weights.sum(axis=1, keepdims=True)
    x, y = (np.asarray(values, dtype=np.float64) for values in (found.truth, found.scores))
    centre = x.mean(axis=0)  # the same shift of both changes nothing but rounding
    x, y = x - centre, y - centre
    mean_x, mean_y = share @ x, share @ y
    var_x, var_y = share @ x**2 - mean_x**2, share @ y**2 - mean_y**2
    together = share @ (x * y) - mean_x * mean_y
    spread = var_x + var_y + (mean_x - mean_y) ** 2
    concordance = np.divide(2 * together, spread, out=np.zeros_like(spread), where=spread > 0)
    return concordance.mean(axis=1), np.sqrt(share @ (x - y) ** 2).mean(axis=1)


WEIGHTED: dict[str, WeightedScores] = {"multilabel": weighted_label_scores, "regression": weighted_target_scores}
