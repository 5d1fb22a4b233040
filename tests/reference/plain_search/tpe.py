"""Tree-structured Parzen estimator, plain (Bergstra et al. 2011, section 4), for choices that are independent.

20 random trials; then for each choice 24 options are drawn from l(x), how often the best ceil(sqrt(n) / 4) trials
had them, plus one each; the one with the largest l(x) / g(x) is taken, g being the same of all other trials. Of the
others, sorted best first, the last 25 weigh 1 and the earlier ones from 1 / n upwards. A known point is changed in
one choice after another until it is new.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Hashable, Sequence

Point = tuple[int, ...]


def weights(n: int, whole: int = 25) -> list[float]:
    if n < whole:
        return [1.0] * n
    m = n - whole
    ramp = [1 / n + k * (1 - 1 / n) / (m - 1) if m > 1 else 1 / n for k in range(m)]
    return ramp + [1.0] * whole


def density(options: list[int], size: int) -> list[float]:
    counts = [1.0] * size
    for option, weight in zip(options, weights(len(options)), strict=True):
        counts[option] += weight
    return [count / sum(counts) for count in counts]


def search(
    sizes: Sequence[int], score: Callable[[Point], float], n: int, seed: int,
    name: Callable[[Point], Hashable] = tuple, startup: int = 20, candidates: int = 24,
) -> list[float]:  # fmt: skip
    rng, found, seen = random.Random(seed), {}, set()
    while len(found) < n:
        if len(found) < startup:
            point = tuple(rng.randrange(size) for size in sizes)
        else:
            ordered = sorted(found, key=found.__getitem__, reverse=True)
            n_good = math.ceil(0.25 * math.sqrt(len(ordered)))
            chosen = []
            for i, size in enumerate(sizes):
                good = density([p[i] for p in ordered[:n_good]], size)
                bad = density([p[i] for p in ordered[n_good:]], size)
                drawn = rng.choices(range(size), good, k=candidates)
                chosen.append(max(drawn, key=lambda option: good[option] / bad[option]))
            point = tuple(chosen)
        while name(point) in seen:
            i = rng.choice([i for i, size in enumerate(sizes) if size > 1])
            point = point[:i] + (rng.choice([o for o in range(sizes[i]) if o != point[i]]),) + point[i + 1 :]
        seen.add(name(point))
        found[point] = score(point)
    return list(found.values())
