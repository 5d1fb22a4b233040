"""Regularised evolution, plain (Real et al. 2019, algorithm 1): population 20, tournaments of 5, one mutation.

A child that is known already is mutated once more until it is new.
"""

from __future__ import annotations

import collections
import random
from collections.abc import Callable, Hashable, Sequence

Point = tuple[int, ...]


def search(
    sizes: Sequence[int],
    score: Callable[[Point], float],
    n: int,
    seed: int,
    name: Callable[[Point], Hashable] = tuple,
    population: int = 20,
    sample: int = 5,
) -> list[float]:
    rng, seen, scores = random.Random(seed), set(), []
    alive: collections.deque[tuple[float, Point]] = collections.deque(maxlen=population)

    def mutated(point: Point) -> Point:
        i = rng.choice([i for i, size in enumerate(sizes) if size > 1])
        other = rng.choice([option for option in range(sizes[i]) if option != point[i]])
        return point[:i] + (other,) + point[i + 1 :]

    while len(scores) < n:
        if len(scores) < population:
            point = tuple(rng.randrange(size) for size in sizes)
            while name(point) in seen:
                point = tuple(rng.randrange(size) for size in sizes)
        else:
            point = mutated(max(rng.sample(list(alive), sample))[1])
            while name(point) in seen:
                point = mutated(point)
        seen.add(name(point))
        scores.append(score(point))
        alive.append((scores[-1], point))
    return scores
