"""Grid search, plain: all points counted in mixed radix, walked in steps of size / golden ratio from a random start."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Sequence

Point = tuple[int, ...]


def search(sizes: Sequence[int], score: Callable[[Point], float], n: int, seed: int) -> list[float]:
    points = list(itertools.product(*map(range, sizes)))
    step = next(
        k for k in range(int(len(points) * (math.sqrt(5) - 1) / 2), 2 * len(points)) if math.gcd(k, len(points)) == 1
    )
    start = random.Random(seed).randrange(len(points))
    return [score(points[(start + i * step) % len(points)]) for i in range(min(n, len(points)))]
