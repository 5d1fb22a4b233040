"""`Front`: the pairs (costs, value) that no other one beats in every cost and in value; of up to two costs."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Front:
    """`costs` (points, costs) and `values` (points,), int64, in the order of the first cost."""

    costs: Ints
    values: Ints

    @staticmethod
    def of_nothing(n_costs: int) -> Front:
        """The front of the one point that costs nothing and is worth nothing."""
        return Front(np.zeros((1, n_costs), dtype=np.int64), np.zeros(1, dtype=np.int64))

    @staticmethod
    def best_of(fronts: Sequence[Front], room: Ints) -> Front | None:
        """The front of all their points that lie within `room`, (costs,); None where none does."""
        costs = np.concatenate([front.costs for front in fronts])
        values = np.concatenate([front.values for front in fronts])
        inside = (costs <= room).all(axis=1)
        if not inside.any():
            return None
        return _pruned(costs[inside], values[inside])

    def with_each(self, costs: Ints, values: Ints) -> Front:
        """Every point plus every choice, (choices, costs) and (choices,); not pruned."""
        n_points = len(self.values) * len(values)
        all_costs = (self.costs[None] + costs[:, None]).reshape(n_points, self.costs.shape[1])
        return Front(all_costs, (self.values[None] + values[:, None]).reshape(n_points))

    def best_within(self, room: Ints) -> int | None:
        """The highest value within `room`, (costs,); None where no point is."""
        if self.costs.shape[1] == 0:
            return int(self.values[0])
        upto = int(np.searchsorted(self.costs[:, 0], room[0], side="right"))
        if self.costs.shape[1] == 1:
            return int(self.values[upto - 1]) if upto else None  # values rise with the cost
        inside = self.values[:upto][self.costs[:upto, 1] <= room[1]]
        return int(inside.max()) if len(inside) else None


def _pruned(costs: Ints, values: Ints) -> Front:
    if costs.shape[1] == 0:
        best = int(values.argmax())
        return Front(costs[best : best + 1], values[best : best + 1])
    order = np.lexsort((-values, *costs.T[::-1]))
    costs, values = costs[order], values[order]
    kept = _rising(values) if costs.shape[1] == 1 else _undominated(costs[:, 1], values)
    return Front(costs[kept], values[kept])


def _rising(values: Ints) -> NDArray[np.bool_]:
    """Where a value exceeds all before it."""
    before = np.maximum.accumulate(values)
    return np.concatenate([[True], values[1:] > before[:-1]])


def _undominated(second: Ints, values: Ints) -> NDArray[np.bool_]:
    """Of points in order of the first cost: where no earlier one costs at most as much and is worth as much."""
    kept = np.zeros(len(values), dtype=bool)
    stair_costs: list[int] = []  # rising, and with them the values
    stair_values: list[int] = []
    for i, (cost, value) in enumerate(zip(second.tolist(), values.tolist(), strict=True)):
        place = bisect_right(stair_costs, cost)
        if place and stair_values[place - 1] >= value:
            continue
        kept[i] = True
        start = place - 1 if place and stair_costs[place - 1] == cost else place
        end = place
        while end < len(stair_values) and stair_values[end] <= value:
            end += 1
        stair_costs[start:end], stair_values[start:end] = [cost], [value]
    return kept
