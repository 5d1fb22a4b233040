"""95 % intervals of UA and WA by a bootstrap over speakers.

Clips of one speaker are not independent: a speaker who is hard to read costs many clips at once. So whole speakers
(groups) are drawn, with replacement, as many as there are, 2,000 times; of every draw the confusion matrices of its
speakers are summed, UA and WA taken, and averaged over retraining seeds. The interval holds the middle 95 % of the
draws (percentile method). Two systems are compared on the same draws (paired), so that what is hard for both cancels.

Weak points. With few speakers the interval is too narrow: with 10, a nominal 95 % covers about 90 % (Cameron, Gelbach,
Miller, "Bootstrap-based improvements for inference with clustered errors", 2008). With 2 or 3 it would only be the
range of the speakers' own scores, and none is given; `MIN_GROUPS_OF_A_CLAIM` is the fewest for a claim. Seeds are taken
as given, and neither another search nor another division into folds is in it. Where each file is its own group, the
speakers are unknown and the interval is an optimistic one.

Source: Efron, Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13; clusters: Field, Welsh, 2007.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from audionas.seeding import generator
from audionas.training.predictions import Predictions

N_DRAWS = 2000
MIN_GROUPS = 4  # of 3 groups, a draw of one alone has probability 3**-3 > 2.5 %: the interval is their range
MIN_GROUPS_OF_A_CLAIM = 6  # the fewest of which a two-sided sign test at 5 % can reject: 2 / 2**6 < 0.05
_CHUNK = 100
Interval = tuple[float, float]


@dataclass(frozen=True)
class GroupCounts:
    """Confusion counts by group and seed: (seeds, groups, classes, classes) int64, rows are true classes."""

    groups: tuple[str, ...]
    counts: np.ndarray


@dataclass(frozen=True)
class Draws:
    """UA and WA (the task's main and second score) of every draw, mean over seeds: (draws,) float64 each."""

    groups: tuple[str, ...]
    ua: np.ndarray
    wa: np.ndarray


def group_counts(seeds: Sequence[Predictions]) -> GroupCounts:
    """The counts of one system, whose predictions of each seed hold the clips of all test folds."""
    groups = tuple(sorted(set(seeds[0].groups)))
    index = {group: i for i, group in enumerate(groups)}
    n_groups, n_classes = len(groups), len(seeds[0].labels)
    counts = []
    for found in seeds:
        rows = np.array([index[group] for group in found.groups])
        cells = (rows * n_classes + found.truth) * n_classes + found.scores.argmax(axis=1)
        counts.append(np.bincount(cells, minlength=n_groups * n_classes**2))
    return GroupCounts(groups, np.stack(counts).reshape(len(seeds), n_groups, n_classes, n_classes))


def bootstrap(found: GroupCounts, n_draws: int = N_DRAWS) -> Draws:
    """UA and WA of draws of groups; the same draws for every system with the same groups."""
    n_seeds, n_groups, n_classes, _ = found.counts.shape
    flat = np.moveaxis(found.counts, 0, 1).reshape(n_groups, -1).astype(np.float64)
    rng = generator(0, "bootstrap over groups", n_groups)
    ua, wa = [], []
    for first in range(0, n_draws, _CHUNK):
        size = min(_CHUNK, n_draws - first)
        times = rng.multinomial(n_groups, np.full(n_groups, 1.0 / n_groups), size)
        confusion = (times @ flat).reshape(size, n_seeds, n_classes, n_classes)
        ua.append(_ua(confusion).mean(axis=1))
        wa.append((np.trace(confusion, axis1=2, axis2=3) / confusion.sum(axis=(2, 3))).mean(axis=1))
    return Draws(found.groups, np.concatenate(ua), np.concatenate(wa))


def _ua(confusion: np.ndarray) -> np.ndarray:
    """Mean recall over the classes present: (..., classes, classes) -> (...)."""
    totals = confusion.sum(axis=-1)
    right = np.diagonal(confusion, axis1=-2, axis2=-1)
    recalls = np.divide(right, totals, out=np.zeros_like(right, dtype=np.float64), where=totals > 0)
    return np.asarray(recalls.sum(axis=-1) / (totals > 0).sum(axis=-1))


def interval(values: np.ndarray, n_groups: int) -> Interval | None:
    """The middle 95 % of draws (draws,); None of fewer groups than `MIN_GROUPS`."""
    if n_groups < MIN_GROUPS:
        return None
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def excludes_zero(found: Interval | None, n_groups: int) -> bool:
    """Whether a difference lies above 0 with its whole interval, and enough groups stand behind it."""
    return found is not None and n_groups >= MIN_GROUPS_OF_A_CLAIM and found[0] > 0
