"""Asynchronous successive halving, plain (Li et al. 2020, algorithm 2), for one worker: rungs of 1, 3 and 9 epochs.

`short` is the score after so many epochs. A budget of n is n trainings of 9 epochs; told is the score of the best that
was trained whole, after each of them (-inf before the first). What was trained is not trained anew.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator, Sequence

Point = tuple[int, ...]
Bracket = tuple[tuple[int, ...], float]  # epochs of its rungs, and how many candidates it takes
Short = Callable[[Point, int], float]


def search(sizes: Sequence[int], score: Callable[[Point], float], n: int, seed: int, short: Short) -> list[float]:
    return halving(sizes, score, n, seed, short, itertools.repeat(((1, 3, 9), math.inf)))


def halving(
    sizes: Sequence[int], score: Callable[[Point], float], n: int, seed: int, short: Short,
    more: Iterator[Bracket], eta: int = 3,
) -> list[float]:  # fmt: skip
    rng, spent, trained = random.Random(seed), 0, set()
    best = [-math.inf] * n
    # of each bracket: epochs, room, and of each rung the scores and who was promoted from it
    brackets: list[tuple[tuple[int, ...], float, list[dict[Point, float]], list[set[Point]]]] = []

    def promotion() -> tuple[int, Point, int] | None:
        for number, (epochs, _, rungs, promoted) in enumerate(brackets):
            for rung in reversed(range(len(epochs) - 1)):
                top = sorted(rungs[rung], key=rungs[rung].__getitem__, reverse=True)[: len(rungs[rung]) // eta]
                for point in top:
                    if point not in promoted[rung] and spent + epochs[rung + 1] <= 9 * n:
                        promoted[rung].add(point)
                        return number, point, rung + 1
        return None

    while True:
        if not brackets or (promotion_ := promotion()) is None:
            if not brackets or len(brackets[-1][2][0]) >= brackets[-1][1]:
                epochs, room = next(more)
                brackets.append((epochs, room, [{} for _ in epochs], [set() for _ in epochs]))
            promotion_ = len(brackets) - 1, tuple(rng.randrange(size) for size in sizes), 0
        number, point, rung = promotion_
        epochs, _, rungs, _ = brackets[number]
        if (point, epochs[rung]) not in trained:
            if spent + epochs[rung] > 9 * n:
                return list(itertools.accumulate(best, max))
            trained.add((point, epochs[rung]))
            spent += epochs[rung]
        if epochs[rung] == 9:
            best[-(-spent // 9) - 1] = max(best[-(-spent // 9) - 1], score(point))
        rungs[rung].setdefault(point, short(point, epochs[rung]))
