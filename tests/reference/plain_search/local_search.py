"""Local search, plain (White et al. 2021): best of 10 draws, then the first better neighbour, then anew."""

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
    draws: int = 10,
) -> list[float]:
    rng, found, seen = random.Random(seed), {}, set()

    def neighbours(point: Point) -> list[Point]:
        every = [
            point[:i] + (option,) + point[i + 1 :]
            for i, size in enumerate(sizes)
            for option in range(size)
            if option != point[i]
        ]
        rng.shuffle(every)
        return every

    while len(found) < n:
        drawn: list[Point] = []
        while len(drawn) < draws and len(found) < n:
            point = tuple(rng.randrange(size) for size in sizes)
            if name(point) not in seen:
                seen.add(name(point))
                found[point] = score(point)
                drawn.append(point)
        best, climbing = max(drawn, key=found.__getitem__), True
        while climbing and len(found) < n:
            climbing = False
            for point in neighbours(best):
                if name(point) in seen or len(found) >= n:
                    continue
                seen.add(name(point))
                found[point] = score(point)
                if found[point] > found[best]:
                    best, climbing = point, True
                    break
    return list(found.values())
