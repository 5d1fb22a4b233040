"""The time left, from the mean time of the pieces so far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def seconds_left(lines: Iterable[Mapping[str, Any]], n_left: int | None) -> float | None:
    """Time for so many pieces more; None where no line has its seconds, or nobody knows how many.

    >>> seconds_left([{"seconds": 2.0}, {"seconds": 4.0}], 5)
    15.0
    """
    spent = [float(line["seconds"]) for line in lines if isinstance(line.get("seconds"), int | float)]
    return max(0, n_left) * sum(spent) / len(spent) if spent and n_left is not None else None
