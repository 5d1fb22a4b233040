"""Assignments of independent decisions, the highest sum of weights first."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping


def assignments_best_first(weights: Mapping[str, Mapping[str, float]]) -> Iterator[dict[str, str]]:
    """Every assignment label -> option, by the sum of its options' weights, the highest first, each once.

    >>> list(assignments_best_first({"a": {"x": 3.0, "y": 1.0}, "b": {"u": 0.0, "v": 0.5}}))
    [{'a': 'x', 'b': 'v'}, {'a': 'x', 'b': 'u'}, {'a': 'y', 'b': 'v'}, {'a': 'y', 'b': 'u'}]
    """
    ranked = {label: sorted(options.items(), key=lambda pair: -pair[1]) for label, options in weights.items()}
    labels = list(ranked)
    best = sum(options[0][1] for options in ranked.values())
    # (minus the sum, rank of each label's option, the label from which on ranks may still rise)
    heap: list[tuple[float, tuple[int, ...], int]] = [(-best, (0,) * len(labels), 0)]
    while heap:
        lost, ranks, start = heapq.heappop(heap)
        yield {label: ranked[label][rank][0] for label, rank in zip(labels, ranks, strict=True)}
        for i in range(start, len(labels)):
            options, rank = ranked[labels[i]], ranks[i]
            if rank + 1 < len(options):
                after = lost + options[rank][1] - options[rank + 1][1]
                heapq.heappush(heap, (after, (*ranks[:i], rank + 1, *ranks[i + 1 :]), i))
