"""Grid search, plain: all points counted in mixed radix, walked in steps of size / golden ratio from a random start."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Hashable, Sequence

Point = tuple[int, ...]


def decoded(number: int, sizes: Sequence[int]) -> Point:
    point: Point = ()
    for size in reversed(sizes):
        number, option = divmod(number, size)
        point = (option, *point)
    return point


def search(
    sizes: Sequence[int],
    score: Callable[[Point], float],
    n: int,
    seed: int,
    name: Callable[[Point], Hashable] = tuple,
) -> list[float]:
    total = math.prod(sizes)
    step = next(k for k in range(int(total * (math.sqrt(5) - 1) / 2), 2 * total) if math.gcd(k, total) == 1)
    start, seen, scores = random.Random(seed).randrange(total), set(), []
    for i in range(total):
        point = decoded((start + i * step) % total, sizes)
        if name(point) not in seen:
            seen.add(name(point))
            scores.append(score(point))
        if len(scores) == n:
            break
    return scores
