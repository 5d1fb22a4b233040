"""How sure it is that the network and the plain systems differ: paired differences, sign-flip tests, Holm."""

from __future__ import annotations

from audionas.errors import AudionasError
from audionas.quantities import count_text, p_text
from audionas.report.blocks import Block, Table
from audionas.report.quantities import interval_text
from audionas.report.run_files import JsonObject, RunFiles
from audionas.report.scored_systems import network_system, plain_systems
from audionas.statistics.claims import why_no_claim
from audionas.statistics.holm import holm
from audionas.statistics.intervals import difference_estimate
from audionas.statistics.sign_flip import sign_flip
from audionas.training.measures import measures_of

ALPHA = 0.05


def difference_tables(files: RunFiles, metrics: JsonObject) -> list[Block]:
    """The network's main score minus each plain system's, or nothing where predictions are not there."""
    scores = metrics.get("headline") or metrics.get("all_splits")
    network = network_system(files, metrics, scores) if scores else None
    others = plain_systems(files, metrics) if network else []
    if network is None or not others:
        return []
    try:
        estimates = [difference_estimate(network, other) for other in others]
        tests = [sign_flip(network, other) for other in others]
    except AudionasError:  # predictions of other clips: made by hand, or of another run
        return []
    claim, main = why_no_claim(network), measures_of(metrics)[0]
    rows = tuple(
        (
            other.name,
            f"{found.value:+.3f}",
            interval_text(list(found.interval) if found.interval else None, signed=True),
            p_text(p),
            _words(found.value, p, claim),
        )
        for other, found, p in zip(others, estimates, holm([test.p for test in tests]), strict=True)
    )
    note = (
        f"{main.name}, paired: the same groups left out, drawn or swapped in both. p: {tests[0].how}, corrected for "
        f"{count_text(len(tests), 'comparison')} by Holm's method; better or worse is said up to {ALPHA}."
    )
    if claim:
        note += f" {claim[:1].upper()}{claim[1:]}."
    head = ("network minus", f"difference of {main.name}", "95 %", "p", "network is")
    return [Table("Differences to the plain systems", head, rows, note)]


def _words(difference: float, p: float, claim: str | None) -> str:
    if claim or p > ALPHA:
        return "not told apart"
    return "better" if difference > 0 else "worse"
