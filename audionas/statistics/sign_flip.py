"""Sign-flip test: could two systems have scored this differently if each group did not care which is which?

Under the null hypothesis the predictions of a group, of all its clips and all seeds together, could as well have come
from the other system. So they are swapped, group by group, in every combination; p is the share of combinations whose
difference of pooled scores, averaged over seeds, is at least as far from 0 as the one observed. All 2^n combinations
up to 16 groups, else 9,999 drawn ones, where the observed one counts as one more: (1 + hits) / (1 + draws). A score
that is no function of confusion counts is slow, and has all combinations up to 12 groups.

Seed i of one system is paired with seed i of the other.

Source: Good, "Permutation, Parametric and Bootstrap Tests of Hypotheses", 2005, section 3.2; whole blocks: Winkler et
al., "Permutation inference for the general linear model", 2014; the +1: Phipson, Smyth, 2010.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from audionas.quantities import p_text
from audionas.seeding import generator
from audionas.statistics.claims import smallest_p
from audionas.statistics.system import System, paired

EXACT_GROUPS = 16
EXACT_GROUPS_SLOW = 12
N_FLIPS = 9_999
_TIE = 1e-12  # differences closer than this are equal: sums in another order differ by rounding
_CHUNK_NUMBERS = 4_000_000


@dataclass(frozen=True)
class SignFlip:
    """The observed difference, its two-sided p, and of how many combinations; `smallest_p` is what could be reached."""

    difference: float
    p: float
    n_flips: int
    is_exact: bool
    smallest_p: float

    @property
    def how(self) -> str:
        """The test in words."""
        which = f"all {self.n_flips:,}" if self.is_exact else f"{self.n_flips:,} drawn"
        return f"two-sided sign-flip test over groups, {which} flips, smallest p {p_text(self.smallest_p)}"

    def as_record(self) -> dict[str, Any]:
        """JSON form, without the difference."""
        return {"p": self.p, "flips": self.n_flips, "is_exact": self.is_exact, "smallest_p": self.smallest_p}


def sign_flip(first: System, second: System) -> SignFlip:
    """The test of the first system's score minus the second's.

    Raises:
        RunError: they cannot be compared, as `paired` says.
    """
    first, second = paired(first, second)
    n_groups = len(first.groups)
    if n_groups <= (EXACT_GROUPS if first.score.is_of_counts else EXACT_GROUPS_SLOW):
        flips = (np.arange(2**n_groups)[:, None] >> np.arange(n_groups) & 1).astype(bool)
        found = _differences(first, second, flips)
        p = float(np.mean(_is_as_far(found, found[0])))
        return SignFlip(float(found[0]), p, len(flips), True, smallest_p(n_groups))
    rng = generator(0, "sign flips", n_groups)
    flips = rng.integers(0, 2, (N_FLIPS + 1, n_groups)).astype(bool)
    flips[0] = False  # as observed
    found = _differences(first, second, flips)
    p = float(np.mean(_is_as_far(found, found[0])))
    return SignFlip(float(found[0]), p, N_FLIPS, False, 1 / (N_FLIPS + 1))


def _is_as_far(found: np.ndarray, observed: float) -> np.ndarray:
    return np.asarray(np.abs(found) >= abs(observed) - _TIE)


def _differences(first: System, second: System, flips: np.ndarray) -> np.ndarray:
    """The difference after each combination (combinations, groups) bool of swapped groups: (combinations,)."""
    of = _scores_of_counts if first.score.is_of_counts else _scores_of_rows
    return np.asarray(of(first, second, flips) - of(first, second, ~flips))


def _scores_of_counts(first: System, second: System, flips: np.ndarray) -> np.ndarray:
    """Scores of the first system with some groups taken from the second, mean over seeds: (combinations,)."""
    assert first.score.of_confusion is not None
    shape = first.counts.shape[1:]
    kept, change = first.counts.sum(axis=0).ravel(), (second.counts - first.counts).reshape(len(first.groups), -1)
    size = max(1, _CHUNK_NUMBERS // len(kept))
    each = []
    for start in range(0, len(flips), size):
        counts = kept + flips[start : start + size].astype(np.float64) @ change
        each.append(first.score.of_confusion(counts.reshape(-1, *shape)).mean(axis=1))
    return np.concatenate(each)


def _scores_of_rows(first: System, second: System, flips: np.ndarray) -> np.ndarray:
    """The same by scoring every clip anew."""
    found = []
    for flip in flips:
        is_swapped = flip[first.group_of_clip]
        each = []
        for mine, yours in zip(first.seeds, second.seeds, strict=True):
            scores = mine.scores.copy()
            scores[is_swapped] = yours.scores[is_swapped]
            each.append(first.score.of_rows(first.truth, scores, first.labels))
        found.append(np.mean(each))
    return np.array(found)
