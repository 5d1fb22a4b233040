"""Random search, plain: uniform draws, none twice. Scores are those of the distinct points, in their order.

Here and in the others `name` tells which points are one architecture.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Sequence

Point = tuple[int, ...]


def search(
    sizes: Sequence[int],
    score: Callable[[Point], float],
    n: int,
    seed: int,
    name: Callable[[Point], Hashable] = tuple,
) -> list[float]:
    rng, seen, scores = random.Random(seed), set(), []
    while len(scores) < n:
        point = tuple(rng.randrange(size) for size in sizes)
        if name(point) not in seen:
            seen.add(name(point))
            scores.append(score(point))
    return scores
