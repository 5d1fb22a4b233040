"""NSGA-II, plain (Deb et al. 2002, section III) over choices: the score against a cost; population 10.

Parents are drawn by binary tournaments; a child takes each choice from either of two (probability 0.9) or all from one,
and then changes each choice with probability 1 / number of choices. The scores are those of all architectures met.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Sequence

Point = tuple[int, ...]


def best_first(values: list[tuple[float, float]]) -> list[int]:
    """Places by front, then by crowding distance; both values are minimised."""
    left, order = set(range(len(values))), []
    while left:
        front = [i for i in sorted(left) if not any(dominates(values[j], values[i]) for j in left)]
        distance = dict.fromkeys(front, 0.0)
        for k in (0, 1):
            line = sorted(front, key=lambda i: values[i][k])
            span = values[line[-1]][k] - values[line[0]][k]
            distance[line[0]] = distance[line[-1]] = float("inf")
            for before, i, after in zip(line, line[1:], line[2:], strict=False):
                distance[i] += (values[after][k] - values[before][k]) / span if span else 0.0
        order += sorted(front, key=lambda i: -distance[i])
        left -= set(front)
    return order


def dominates(a: tuple[float, float], b: tuple[float, float]) -> bool:
    return a != b and a[0] <= b[0] and a[1] <= b[1]


def search(
    sizes: Sequence[int], score: Callable[[Point], float], n: int, seed: int, cost: Callable[[Point], float],
    name: Callable[[Point], Hashable] = tuple, size: int = 10, patience: int = 1000,
) -> list[float]:  # fmt: skip
    rng, proposed, found, parents, fruitless = random.Random(seed), set(), {}, list[Point](), 0
    while len(found) < n and fruitless < patience:
        pool = {name(point): point for point in parents}
        for _ in range(size):
            point = tuple(rng.randrange(k) for k in sizes)
            while len(parents) > 1:
                a, b = (parents[min(rng.randrange(len(parents)) for _ in "ab")] for _ in "ab")
                both = [rng.choice(pair) for pair in zip(a, b, strict=True)] if rng.random() < 0.9 else a
                shifts = [rng.randrange(1, k) if k > 1 and rng.random() < 1 / len(sizes) else 0 for k in sizes]
                point = tuple((x + shift) % k for x, shift, k in zip(both, shifts, sizes, strict=True))
                if point not in proposed:
                    break
            proposed.add(point)
            fruitless = fruitless + 1 if name(point) in found else 0
            if name(point) in found or len(found) < n:
                found.setdefault(name(point), score(point))
                pool.setdefault(name(point), point)
        places = best_first([(-score(point), cost(point)) for point in pool.values()])
        parents = [list(pool.values())[i] for i in places[:size]]
    return list(found.values())
