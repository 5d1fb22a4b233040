"""Grid search: every assignment of the choices once; of a large space those that the budget allows.

Source: Bergstra and Bengio 2012, "Random Search for Hyper-Parameter Optimization", section 1, which says why random
search is better where few choices matter. The spread order steps by the golden ratio (Knuth, TAOCP 3, 6.4).
"""

from __future__ import annotations

from typing import Any

from audionas.errors import SettingsError


def build(*, seed: int, order: str = "spread") -> Any:
    """NNI's GridSearch.

    Args:
        order: `listed` counts through the options, the last choice fastest; `spread` visits the same assignments
            so that the first ones already lie far apart, from a start drawn from the seed.

    Raises:
        SettingsError: `order` is neither.
    """
    from audionas.search.nni_grid import Grid

    check(order=order)
    return Grid(order=order, seed=seed % 2**32)


def check(*, order: str = "spread") -> None:
    """Refuse settings that are out of range."""
    if order not in ("spread", "listed"):
        raise SettingsError(f"settings.order: got {order!r}; accepted: spread, listed")
