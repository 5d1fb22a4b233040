"""Whether a result says anything about speakers (groups) that were not recorded, and if not, why."""

from __future__ import annotations

from audionas.quantities import count_text
from audionas.statistics.system import System

MIN_GROUPS_OF_A_CLAIM = 6  # the fewest of which a two-sided sign-flip test at 5 % can reject: 2 / 2**6 < 0.05


def why_no_claim(system: System) -> str | None:
    """Why no claim about speakers is possible; None where one is."""
    n_groups = len(system.groups)
    if not system.are_groups_known:
        return "no claim about speakers is possible: they are not known, each file is its own group"
    if n_groups == len(system.truth):
        return "no claim about speakers is possible: each clip is its own group"
    if n_groups < MIN_GROUPS_OF_A_CLAIM:
        return (
            f"no claim about speakers is possible from {count_text(n_groups, 'group')}: it takes "
            f"{MIN_GROUPS_OF_A_CLAIM} (the smallest p of {n_groups} is {smallest_p(n_groups):g})"
        )
    return None


def smallest_p(n_groups: int) -> float:
    """The smallest two-sided p of an exact sign-flip test of so many groups.

    >>> smallest_p(1), smallest_p(5), smallest_p(6)
    (1.0, 0.0625, 0.03125)
    """
    return 2.0 / 2.0**n_groups
