"""The collapse alarm: stops a DARTS search whose cells fill with skip connections, or whose alphas sit in a valley.

Sources: Liang et al. 2019 (DARTS+), section 3.2, criterion 1: stop at two or more skip connections in a normal cell.
Zela et al. 2020 (RobustDARTS), section 4.2: stop when the eigenvalue, averaged over 5 epochs, was 5 epochs ago
below 0.75 of what it is now, and take the architecture of then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WINDOW = 5  # epochs that an eigenvalue is averaged over, and looked back


@dataclass(frozen=True)
class Alarm:
    """Why it rang, and the epoch (from 0) whose genotype is taken."""

    why: str
    take: int

    def as_record(self) -> dict[str, Any]:
        """JSON form, in a line of `epochs.jsonl`."""
        return {"why": self.why, "take": self.take}


@dataclass(frozen=True)
class Collapse:
    """When a search counts as collapsed; 0 switches a rule off.

    `skips`: so many skip connections in the normal cell. `eigenvalue`: the ratio of the dominant eigenvalue of the
    alphas' loss 5 epochs ago to that of now.
    """

    skips: int = 0
    eigenvalue: float = 0.0

    def alarm(self, epochs: Sequence[Mapping[str, Any]]) -> Alarm | None:
        """Whether the last of these lines of `epochs.jsonl` rings; the genotype is that of an earlier one."""
        last = epochs[-1]["epoch"]
        skips, of = epochs[-1]["skips"], epochs[-1]["skips_of"]
        if 0 < self.skips <= skips:
            why = f"{skips} of {of} kept edges of the normal cell are skip connections, {self.skips} or more stop it"
            return Alarm(why, max(last - 1, 0))
        return self._sharpened([line["eigenvalue"] for line in epochs], last) if self.eigenvalue else None

    def _sharpened(self, values: Sequence[float], last: int) -> Alarm | None:
        if len(values) <= WINDOW:
            return None
        before, now = _smoothed(values[:-WINDOW]), _smoothed(values)
        if now <= 0 or before / now >= self.eigenvalue:
            return None
        why = (
            f"the dominant eigenvalue of the alphas' loss rose from {before:.3g} to {now:.3g} in {WINDOW} epochs, "
            f"a ratio of {before / now:.2f}, below {self.eigenvalue:g}"
        )
        return Alarm(why, last - WINDOW)


def _smoothed(values: Sequence[float]) -> float:
    window = values[-WINDOW:]
    return sum(window) / len(window)


NeverCollapses = Collapse()
