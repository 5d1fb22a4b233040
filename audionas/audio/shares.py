"""A share of a part's clips: nested, stratified, seeded, and whole groups but for the last one it reaches.

`share_order` puts the rows of a part in one order; a share of them is how many of its first rows. So a smaller share
lies within every larger one, and scores of two shares differ by what was added alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from audionas.audio.manifest import Manifest
from audionas.seeding import generator


def share_of_rows(manifest: Manifest, rows: Sequence[int], fraction: float, seed: int) -> tuple[int, ...]:
    """The rows of a share, ascending: `fraction` of them, rounded, at least one.

    Args:
        fraction: above 0, at most 1.
        seed: another seed takes other groups; equal seeds give nested shares.
    """
    if fraction >= 1:
        return tuple(rows)
    n = max(1, round(fraction * len(rows)))
    return tuple(sorted(share_order(manifest, rows, seed)[:n]))


def share_order(manifest: Manifest, rows: Sequence[int], seed: int) -> tuple[int, ...]:
    """The rows group by group, so that every beginning holds the strata (classes, ...) as nearly as all rows do.

    Groups come one after another: next is the one after which the counts lie nearest to those wanted, by squared
    distance, ties in an order drawn by the seed. Within a group (and where every clip is its own group) each
    stratum is spread evenly.
    """
    by_group: dict[str, list[int]] = {}
    for row in rows:
        by_group.setdefault(manifest.clips[row].group, []).append(row)
    rng = generator(seed, "share")
    if len(by_group) == len(rows):
        return tuple(_spread(manifest, list(rows), rng))
    names = sorted(by_group)
    rng.shuffle(names)
    counts = np.array([manifest.strata[by_group[name]].sum(axis=0) for name in names])
    sizes = np.array([len(by_group[name]) for name in names])
    return tuple(row for place in _greedy(counts, sizes) for row in _spread(manifest, by_group[names[place]], rng))


def _greedy(counts: np.ndarray, sizes: np.ndarray) -> list[int]:
    """Places of groups in order: counts (groups, strata) of each, sizes (groups,) in rows."""
    total, n_rows = counts.sum(axis=0), sizes.sum()
    scale = np.maximum(total, 1.0)
    have, n_have = np.zeros_like(total), 0
    left, order = list(range(len(sizes))), []
    while left:
        wanted = total * ((n_have + sizes[left]) / n_rows)[:, None]
        distance = (((have + counts[left] - wanted) / scale) ** 2).sum(axis=1)
        place = left.pop(int(distance.argmin()))
        have, n_have = have + counts[place], n_have + sizes[place]
        order.append(place)
    return order


def _spread(manifest: Manifest, rows: list[int], rng: np.random.Generator) -> list[int]:
    """Rows so that each kind of clip (equal strata) comes evenly from first to last."""
    kinds: dict[bytes, list[int]] = {}
    for row in rows:
        kinds.setdefault(manifest.strata[row].tobytes(), []).append(row)
    keyed = []
    for members in kinds.values():
        shift = rng.uniform()
        keyed += [((k + shift) / len(members), row) for k, row in enumerate(rng.permutation(members).tolist())]
    return [row for _, row in sorted(keyed)]
