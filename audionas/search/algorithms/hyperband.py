"""Hyperband, asynchronous: brackets of successive halving that begin at every rung in turn.

It hedges against rungs so low that they rank badly: every third bracket trains its candidates whole at once.

Source: Li, Jamieson, DeSalvo, Rostamizadeh, Talwalkar 2018, "Hyperband", algorithm 1; asynchronous as Li et al. 2020,
section 3.2, has it. What differs stands in `audionas.search.rungs`.
"""

from __future__ import annotations

from typing import Any


def build(*, seed: int, by: str = "epochs", eta: int = 3, rungs: int = 3) -> Any:
    """Brackets from the lowest rung to the whole training, again and again.

    Args:
        by: what a lower rung has less of: `epochs`, or `fraction` of the training clips.
        eta: the best 1/eta of a rung are promoted to the next, which trains eta times as much.
        rungs: how many fidelities there are, the whole training among them; so many brackets make one round.

    Raises:
        SettingsError: a setting is out of range.
    """
    from audionas.search.nni_halving import AsyncHalving
    from audionas.search.rungs import hyperband_brackets

    check(by=by, eta=eta, rungs=rungs)
    return AsyncHalving(hyperband_brackets, by=by, eta=eta, rungs=rungs, seed=seed)


def check(*, by: str = "epochs", eta: int = 3, rungs: int = 3) -> None:
    """Refuse settings that are out of range."""
    from audionas.search.rungs import check_rungs

    check_rungs(by, eta, rungs)
