"""Which candidates no other one beats: non-dominated sorting and crowding distance, all objectives minimised.

Source: Deb, Pratap, Agarwal, Meyarivan 2002, "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II", sections
III.A and III.B. Libraries that have these (pymoo) bring six others with them, for forty lines.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def non_dominated_ranks(values: Floats) -> NDArray[np.int64]:
    """Rank of each point, (points,): 0 for those that none dominates, 1 for those that only rank 0 dominates, ...

    A point dominates another if it is at most as high in every objective and lower in one.

    Args:
        values: (points, objectives), finite.

    >>> non_dominated_ranks(np.array([[1.0, 2.0], [2.0, 1.0], [2.0, 2.0], [3.0, 3.0]])).tolist()
    [0, 0, 1, 2]
    """
    no_higher = np.asarray((values[:, None] <= values[None]).all(axis=2))
    lower = np.asarray((values[:, None] < values[None]).any(axis=2))
    dominates = no_higher & lower
    ranks = np.full(len(values), -1, dtype=np.int64)
    for rank in range(len(values)):
        left = ranks < 0
        if not left.any():
            break
        beaten = np.asarray(dominates[left].any(axis=0))
        ranks[left & ~beaten] = rank
    return ranks


def crowding_distances(values: Floats) -> Floats:
    """Crowding distance of each point of one front, (points,): how far its neighbours lie apart.

    Each objective counts over its span.
    The outermost points of an objective have an infinite distance; an objective without a span adds nothing else.

    >>> crowding_distances(np.array([[0.0, 4.0], [1.0, 1.0], [4.0, 0.0]])).tolist()
    [inf, 2.0, inf]
    """
    distances = np.zeros(len(values))
    for column in values.T:
        order = np.argsort(column, kind="stable")
        span = column[order[-1]] - column[order[0]]
        distances[order[[0, -1]]] = np.inf
        if span > 0:
            distances[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / span
    return distances


def crowded_order(values: Floats) -> list[int]:
    """Places of all points, best first: lower rank, then larger crowding distance within its front, then earlier."""
    ranks = non_dominated_ranks(values)
    distances = np.zeros(len(values))
    for rank in np.unique(ranks):
        distances[ranks == rank] = crowding_distances(values[ranks == rank])
    return [int(place) for place in np.lexsort((np.arange(len(values)), -distances, ranks))]
