"""Numbers as a row of blocks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

BLOCKS = "▁▂▃▄▅▆▇█"
ASCII_BLOCKS = "_.-=+*#@"


def sparkline(values: Sequence[float | None], width: int = 40, *, is_ascii: bool = False) -> str:
    """At most `width` blocks from the lowest value to the highest; of more values, means of neighbours.

    >>> sparkline([0.0, 0.5, None, 1.0])
    '▁▅ █'
    >>> sparkline([2.0, 2.0], is_ascii=True)
    '--'
    """
    rows = _shortened(values, width)
    known = [value for value in rows if value is not None]
    if not known:
        return ""
    blocks = ASCII_BLOCKS if is_ascii else BLOCKS
    low, high = min(known), max(known)
    if high == low:
        return "".join(" " if value is None else blocks[2] for value in rows)
    scale = (len(blocks) - 1) / (high - low)
    return "".join(" " if value is None else blocks[int((value - low) * scale + 0.5)] for value in rows)


def _shortened(values: Sequence[float | None], width: int) -> list[float | None]:
    """Values, or means of as many neighbouring ones as it takes to have `width`."""
    if len(values) <= width:
        return list(values)
    bounds = [round(k * len(values) / width) for k in range(width + 1)]
    found: list[float | None] = []
    for begin, end in pairwise(bounds):
        known = [value for value in values[begin:end] if value is not None]
        found.append(sum(known) / len(known) if known else None)
    return found
