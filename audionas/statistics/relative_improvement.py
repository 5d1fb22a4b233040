"""How much better a search is than random architectures, in per cent of what those reach.

Source: Yang, Esperanca, Carlucci, "NAS evaluation is frustratingly hard", ICLR 2020, section 3.1, equation 1.
"""

from __future__ import annotations

from audionas.errors import RunError


def relative_improvement(ours: float, random: float) -> float:
    """100 * (ours - random) / random, in per cent.

    Raises:
        RunError: the random architectures score 0 or less, so that a share of it says nothing.

    >>> round(relative_improvement(0.77, 0.70), 6)
    10.0
    """
    if random <= 0:
        raise RunError(f"relative improvement: random architectures score {random:g}, must be above 0")
    return 100 * (ours - random) / random
