"""Grid search on NNI's implementation: every assignment of choices once, in the listed or in a spread order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import gcd, prod
from typing import Any

from nni.nas.strategy import GridSearch

GOLDEN = (618_033_988_749_894_848, 10**18)  # 0.618..., as whole numbers: a space may be larger than any float
Choices = Mapping[str, tuple[str, ...]]


class Grid(GridSearch):  # type: ignore[misc]
    """NNI's grid search over an order of ours; its own would hold the last choices' options first and no others."""

    def __init__(self, *, order: str, seed: int) -> None:
        super().__init__(shuffle=False, seed=seed, dedup=False)
        self._order = order

    def _grid_generator(self, model_space: Any) -> Iterator[Any]:
        choices = model_space.model.trace_kwargs["space"].choices()
        size = prod(len(options) for options in choices.values())
        step, start = (1, 0) if self._order == "listed" else (spread_step(size), self._random_state.randint(2**31))
        for i in range(size):
            yield model_space.freeze(assignment(choices, (start + i * step) % size))


def spread_step(size: int) -> int:
    """The number nearest to size / golden ratio, from above, without a common divisor: its multiples visit all.

    >>> spread_step(10)
    7
    """
    step = max(1, size * GOLDEN[0] // GOLDEN[1])
    while gcd(step, size) > 1:
        step += 1
    return step


def assignment(choices: Choices, number: int) -> dict[str, str]:
    """Assignment `number` (from 0) of all, the last choice running fastest.

    >>> assignment({"a": ("0", "1"), "b": ("x", "y", "z")}, 4)
    {'a': '1', 'b': 'y'}
    """
    sample = {}
    for label, options in reversed(list(choices.items())):
        number, which = divmod(number, len(options))
        sample[label] = options[which]
    return {label: sample[label] for label in choices}
