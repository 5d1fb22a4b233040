"""What stands beside a pooled score in `metrics.json`: interval, p against chance, verdict, why there is no claim."""

from __future__ import annotations

from typing import Any

from audionas.statistics.chance import chance
from audionas.statistics.claims import why_no_claim
from audionas.statistics.intervals import score_estimate
from audionas.statistics.system import System


def evidence(system: System) -> dict[str, Any]:
    """The fields of one summary; the interval is named after the score, as `ua_interval`."""
    found, against_chance = score_estimate(system), chance(system)
    return {
        f"{system.score.name}_interval": found.interval,
        "interval": found.how,
        "n_groups": found.n_groups,
        "chance": against_chance.as_record(),
        "verdict": against_chance.verdict,
        "claim": why_no_claim(system),
    }
