"""What a ranking comes to, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

FOR_A_CLAIM = 30  # genotypes: below it, intervals of tau are so wide that nothing follows


def conclusion(found: Mapping[str, Any]) -> str:
    """One sentence, without its full stop, on the supernet's tau, the ceiling and their ratio."""
    supernet, ceiling = found["supernet"], found["ceiling"]
    if ceiling["tau"] is None:
        return "nothing follows: retraining gives all genotypes the same score"
    if ceiling["interval"][0] <= 0:
        return (
            "nothing follows: two seeds of retraining are not shown to agree with each other "
            f"({tau_text(ceiling)}); score on more clips or train for more epochs"
        )
    if supernet["tau"] is None:
        return "the supernet gives all genotypes the same score, so it cannot choose between them"
    if supernet["interval"][0] <= 0:
        return f"the supernet is not shown to rank genotypes better than chance does ({tau_text(supernet)})"
    return (
        f"the supernet ranks genotypes better than chance does ({tau_text(supernet)}), at {found['ratio']:.2f} of the "
        "noise ceiling"
    )


def ranking_lines(result: Mapping[str, Any]) -> list[str]:
    """What the console says of a `ranking.json`."""
    n_failed = result["n_failed"]
    lines = [
        f"supernet: {tau_text(result['supernet'])} against retraining, over {result['n_genotypes']} genotypes",
        f"noise ceiling: {tau_text(result['ceiling'])} between two seeds of retraining",
        f"share of the ceiling: {_with_interval(result['ratio'], result['interval'])}",
        f"conclusion: {result['conclusion']}",
    ]
    lines += [f"{n_failed} genotypes left out: a training diverged"] if n_failed else []
    return lines + ([f"note: {result['warning']}"] if result["warning"] else [])


def tau_text(agreement: Mapping[str, Any]) -> str:
    """A tau with its interval.

    >>> tau_text({"tau": 0.5, "interval": [0.25, 0.75]}), tau_text({"tau": None, "interval": None})
    ('tau 0.50, interval 0.25 to 0.75', 'tau not defined')
    """
    return "tau " + _with_interval(agreement["tau"], agreement["interval"])


def _with_interval(value: float | None, interval: Sequence[float] | None) -> str:
    if value is None:
        return "not defined"
    return f"{value:.2f}, " + (f"interval {interval[0]:.2f} to {interval[1]:.2f}" if interval else "no interval")
