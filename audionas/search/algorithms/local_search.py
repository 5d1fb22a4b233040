"""Local search: from the best of some random draws to a better neighbour, while there is one.

Source: White, Nolen, Savani 2021, "Exploring the Loss Landscape in Neural Architecture Search".
"""

from __future__ import annotations

from typing import Any


def build(*, seed: int, draws: int = 10, whole_neighbourhood: bool = False) -> Any:
    """Our strategy on NNI's base class.

    Args:
        draws: random architectures of which the best is where a climb starts.
        whole_neighbourhood: try all neighbours and take the best, instead of the first that is better.
    """
    from audionas.search.nni_local_search import LocalSearch

    return LocalSearch(draws=draws, whole_neighbourhood=whole_neighbourhood, seed=seed % 2**32)
