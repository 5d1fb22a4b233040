"""Random search, plain: uniform draws, none twice. Scores are those of the distinct points, in their order."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

Point = tuple[int, ...]


def search(sizes: Sequence[int], score: Callable[[Point], float], n: int, seed: int) -> list[float]:
    rng, seen, scores = random.Random(seed), set(), []
    while len(scores) < n:
        point = tuple(rng.randrange(size) for size in sizes)
        if point not in seen:
            seen.add(point)
            scores.append(score(point))
    return scores
