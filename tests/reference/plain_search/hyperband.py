"""Hyperband, asynchronous and plain (Li et al. 2018, algorithm 1): successive halving from each of three rungs in turn.

A bracket of s + 1 rungs out of S takes ceil(S / (s + 1) eta^s) candidates: 9, 5 and 3 for eta = 3 and S = 3.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from tests.reference.plain_search.successive_halving import Point, Short, halving


def search(sizes: Sequence[int], score: Callable[[Point], float], n: int, seed: int, short: Short) -> list[float]:
    return halving(sizes, score, n, seed, short, itertools.cycle([((1, 3, 9), 9), ((3, 9), 5), ((9,), 3)]))
