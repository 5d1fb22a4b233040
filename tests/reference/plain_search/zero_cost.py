"""Zero-cost ranking, plain (Abdelfattah et al. 2021, section 4): the best of 500 draws by a proxy, best first."""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Sequence

Point = tuple[int, ...]


def search(
    sizes: Sequence[int],
    score: Callable[[Point], float],
    n: int,
    seed: int,
    proxy: Callable[[Point], float],
    name: Callable[[Point], Hashable] = tuple,
    draws: int = 500,
) -> list[float]:
    rng, drawn = random.Random(seed), {}
    for _ in range(20 * draws):
        point = tuple(rng.randrange(size) for size in sizes)
        if len(drawn) < draws:
            drawn.setdefault(name(point), point)
    return [score(point) for point in sorted(drawn.values(), key=proxy, reverse=True)[:n]]
