"""Catalogue search, plain: the entries of one list in a shuffled order."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

Point = tuple[int, ...]


def search(sizes: Sequence[int], score: Callable[[Point], float], n: int, seed: int) -> list[float]:
    (size,) = sizes
    order = list(range(size))
    random.Random(seed).shuffle(order)
    return [score((entry,)) for entry in order[:n]]
