"""Whether a one-shot search is decided: how much more the kept operations weigh than their runners-up.

A record of this is in `run.json` under `decided`; `decision_sentence` says it in words, for console and report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

# Softmax weights of eight operations are about 0.125 each. A kept operation that leads by less than 0.02 in the
# median is one that other batches or another initialisation would not have kept.
UNDECIDED_MARGIN = 0.02
UNDECIDED, DECIDED = "undecided", "decided"
WHAT_UNDECIDED_MEANS = "so another seed may give another cell; compare with random architectures"


def decision_of(epoch: Mapping[str, Any]) -> dict[str, Any]:
    """Verdict, margins, skips and discretisation gap of the genotype derived at one epoch of `epochs.jsonl`.

    A margin is the weight (a softmax, or what the algorithm has instead) of a kept operation minus that of the
    runner-up on the same edge, `none` left out. The gap is the UA (the task's main score, under its own key) of the
    supernet minus that of the network cut out of it, on the same clips.
    """
    main = score_key(epoch)
    supernet, network = epoch.get(f"supernet_{main}"), epoch.get(f"network_{main}")
    margins = [margin for each in epoch["margins"].values() for margin in each]
    return {
        "verdict": UNDECIDED if median(margins) < UNDECIDED_MARGIN else DECIDED,
        "undecided_below": UNDECIDED_MARGIN,
        "margin_median": median(margins),
        "margin_min": min(margins),
        "epoch": epoch["epoch"],
        "discretisation_gap": None if supernet is None or network is None else supernet - network,
        f"supernet_{main}": supernet,
        f"network_{main}": network,
        "scored_on": epoch.get("scored_on"),
        "cells": {kind: _cell(each, epoch["genotype"].get(kind)) for kind, each in epoch["margins"].items()},
    }


def evolved_decision(lines: Sequence[Mapping[str, Any]], epoch: int) -> dict[str, Any]:
    """The same of a path that an evolution chose, from the lines of `evolution.jsonl`: scores, no verdict."""
    chosen = dict(lines[-1]["chosen"])
    return {"epoch": epoch, "scored_paths": len(lines) - 1, **chosen}


def score_key(record: Mapping[str, Any]) -> str:
    """Key of the main score in an epoch or a decision: `ua`, or that of another task; `ua` where none is there.

    >>> score_key({"supernet_map": 0.5, "network_map": 0.4})
    'map'
    """
    names = (name.removeprefix("network_") for name in record if name.startswith("network_"))
    return next(names, "ua")


def _cell(margins: Sequence[float], edges: Sequence[Sequence[Any]] | None) -> dict[str, Any]:
    """Of one kind of cell; a recurrent one has no edges whose operation could be a skip connection."""
    skips = sum(op == "skip_connect" for op, _ in edges or ())
    found: dict[str, Any] = {
        "margins": list(margins),
        "margin_median": median(margins),
        "margin_min": min(margins),
    }
    return found | ({"skips": skips, "skip_share": skips / len(edges)} if edges else {})


def decision_sentence(decided: Mapping[str, Any]) -> str:
    """One sentence, without its full stop, on the `decided` record of a search."""
    restarts = decided.get("restarts")
    if decided.get("verdict") is None:
        paths = decided.get("scored_paths")
        chosen = f"chosen by their scores among {paths} paths of the supernet" if paths else ""
        again = f"restarts: {_restarts_text(restarts)}" if restarts else ""
        return "; ".join(filter(None, (chosen, again)))
    margin, limit = f"{decided['margin_median']:.3f}", f"{decided['undecided_below']:g}"
    if decided["verdict"] == UNDECIDED:
        means = f"undecided: the kept operations were hardly preferred (median margin to the runner-up {margin}, "
        means += f"below {limit}), {WHAT_UNDECIDED_MEANS}"
    else:
        means = f"decided, by its margins: kept operations lead their runners-up by {margin} in the median "
        means += f"({limit} or more)"
        means += "" if restarts else "; whether another seed finds the same cell is not known without --restarts"
    return f"{means}; {_restarts_text(restarts)}" if restarts else means


def decisions_sentence(decided: Sequence[Mapping[str, Any]]) -> str:
    """One sentence on the searches of a run: that of a single one, or how many of several are undecided.

    >>> decisions_sentence([])
    ''
    """
    if len(decided) < 2:
        return "".join(map(decision_sentence, decided))
    n = len(decided)
    margins = [float(each["margin_median"]) for each in decided if each.get("verdict")]
    undecided = sum(each.get("verdict") == UNDECIDED for each in decided)
    parts = []
    if margins:
        means = f", {WHAT_UNDECIDED_MEANS}" if undecided else ""
        spread = f"median margins to the runner-up {min(margins):.3f} to {max(margins):.3f}"
        parts = [f"undecided: {undecided} of {n} searches ({spread}){means}"]
    found = [(each.get("restarts") or {}).get("agreement") for each in decided]
    shares = [float(share) for share in found if share is not None]
    if len(shares) == n:
        chance = decided[0]["restarts"]["agreement_by_chance"]
        parts.append(f"restarts of a split share {min(shares):.0%} to {max(shares):.0%} of their edges "
                     f"({chance:.0%} by chance)")  # fmt: skip
    return "; ".join(parts)


def _restarts_text(restarts: Mapping[str, Any]) -> str:
    n, different = restarts.get("n"), restarts.get("different_genotypes")
    found = f"{n} restarts found {different} different genotype{'' if different == 1 else 's'}"
    if restarts.get("agreement") is None:
        return found
    share, chance = restarts["agreement"], restarts["agreement_by_chance"]
    as_random = ", no more than random genotypes" if share <= chance else ""
    return f"{found}, which share {share:.0%} of their edges ({chance:.0%} by chance){as_random}"


__all__ = [
    "DECIDED",
    "UNDECIDED",
    "UNDECIDED_MARGIN",
    "decision_of",
    "decision_sentence",
    "decisions_sentence",
    "evolved_decision",
    "score_key",
]
