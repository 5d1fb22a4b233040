"""Successive halving, asynchronous (ASHA): many candidates are trained a little, the best of them more.

Source: Li, Jamieson, Rostamizadeh et al. 2020, "A System for Massively Parallel Hyperparameter Tuning", algorithm 2.
What differs stands in `audionas.search.rungs`.
"""

from __future__ import annotations

from typing import Any


def build(*, seed: int, by: str = "epochs", eta: int = 3, rungs: int = 3) -> Any:
    """One bracket of rungs.

    Args:
        by: what a lower rung has less of: `epochs`, or `fraction` of the training clips.
        eta: the best 1/eta of a rung are promoted to the next, which trains eta times as much.
        rungs: how many fidelities there are, the whole training among them.

    Raises:
        SettingsError: a setting is out of range.
    """
    from audionas.search.nni_halving import AsyncHalving
    from audionas.search.rungs import halving_brackets

    check(by=by, eta=eta, rungs=rungs)
    return AsyncHalving(halving_brackets, by=by, eta=eta, rungs=rungs, seed=seed)


def check(*, by: str = "epochs", eta: int = 3, rungs: int = 3) -> None:
    """Refuse settings that are out of range."""
    from audionas.search.rungs import check_rungs

    check_rungs(by, eta, rungs)
