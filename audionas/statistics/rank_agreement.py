"""How far two scores rank the same genotypes alike: Kendall's tau-b, and its share of what retraining noise allows.

Two retraining seeds of the same genotypes do not rank them alike either, so the tau between them (the noise ceiling)
is the scale on which a supernet's tau is read. Intervals: 95 %, percentile bootstrap over genotypes, 2,000 draws.
A genotype drawn twice is tied with itself in both rankings, and tau-b leaves such pairs out.

Source: Kendall, "The treatment of ties in ranking problems", Biometrika 33, 1945 (tau-b); Efron, Tibshirani, "An
Introduction to the Bootstrap", 1993, chapter 13.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from audionas.errors import RunError
from audionas.seeding import generator

N_DRAWS = 2000
Interval = tuple[float, float]


@dataclass(frozen=True)
class RankAgreement:
    """Tau-b in [-1, 1] over `n` genotypes; None where one of the rankings is nothing but ties."""

    tau: float | None
    interval: Interval | None
    n: int

    def as_record(self) -> dict[str, Any]:
        """JSON form."""
        return {"tau": self.tau, "interval": self.interval, "n": self.n}


@dataclass(frozen=True)
class CeilingRatio:
    """The supernet's tau, the noise ceiling, and the first as a share of the second.

    `ratio` is None where the ceiling is not above 0, its `interval` where the ceiling's interval is not.
    """

    supernet: RankAgreement
    ceiling: RankAgreement
    ratio: float | None
    interval: Interval | None

    def as_record(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "supernet": self.supernet.as_record(),
            "ceiling": self.ceiling.as_record(),
            "ratio": self.ratio,
            "interval": self.interval,
        }


def rank_agreement(first: Sequence[float], second: Sequence[float]) -> RankAgreement:
    """Tau-b of two scores of the same genotypes, in the same order.

    Raises:
        RunError: they differ in number, are fewer than two, or one is not finite.
    """
    scores = _checked(first, second)
    times = _draws(scores.shape[1])
    return _agreement(_tau(scores[0], scores[1], times[:1]), _tau(scores[0], scores[1], times[1:]), scores.shape[1])


def ceiling_ratio(
    supernet: Sequence[float], retrained_a: Sequence[float], retrained_b: Sequence[float]
) -> CeilingRatio:
    """The supernet's tau against retraining, divided by the tau between two retraining seeds.

    The supernet's tau is the mean of its tau against either seed, not the tau against their mean: so both sides of
    the ratio are against the scores of one seed, and a supernet that ranks as well as another retraining has a ratio
    of 1. One with less noise than a retraining may lie above 1. The three taus of a draw are of the same genotypes.

    Raises:
        RunError: as `rank_agreement`.
    """
    scores = _checked(supernet, retrained_a, retrained_b)
    n = scores.shape[1]
    times = _draws(n)
    mine = (_tau(scores[0], scores[1], times) + _tau(scores[0], scores[2], times)) / 2
    limit = _tau(scores[1], scores[2], times)
    ceiling = _agreement(limit[:1], limit[1:], n)
    return CeilingRatio(_agreement(mine[:1], mine[1:], n), ceiling, *_ratio(mine, limit, ceiling))


def _ratio(mine: np.ndarray, limit: np.ndarray, ceiling: RankAgreement) -> tuple[float | None, Interval | None]:
    """The ratio of the first element, and the interval of the others."""
    if not limit[0] > 0 or np.isnan(mine[0]):
        return None, None
    if ceiling.interval is None or ceiling.interval[0] <= 0:
        return float(mine[0] / limit[0]), None
    is_defined = limit[1:] > 0
    return float(mine[0] / limit[0]), _percentiles(mine[1:][is_defined] / limit[1:][is_defined])


def _checked(*scores: Sequence[float]) -> np.ndarray:
    """The scores as (rankings, genotypes) float64."""
    sizes = [len(each) for each in scores]
    if len(set(sizes)) > 1 or sizes[0] < 2:
        raise RunError(
            f"rank agreement: got {' and '.join(map(str, sizes))} scores; give each genotype one score in every "
            "ranking, at least two genotypes"
        )
    found = np.array(scores, dtype=np.float64)
    if not np.isfinite(found).all():
        at = int(np.argwhere(~np.isfinite(found))[0, 1])
        raise RunError(f"rank agreement: a score of genotype {at + 1} is not finite; leave that genotype out")
    return found


def _draws(n: int) -> np.ndarray:
    """How often each genotype counts: (1 + draws, n); once each in the first row, then as drawn."""
    rng = generator(0, "bootstrap over genotypes", n)
    return np.concatenate([np.ones((1, n)), rng.multinomial(n, np.full(n, 1 / n), N_DRAWS)])


def _tau(first: np.ndarray, second: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Tau-b of each draw (draws,); nan where a ranking is nothing but ties."""
    x, y = (np.sign(each[:, None] - each[None, :]) for each in (first, second))
    agreeing, untied_x, untied_y = (((times @ pairs) * times).sum(axis=1) for pairs in (x * y, np.abs(x), np.abs(y)))
    scale = np.sqrt(untied_x * untied_y)
    return np.asarray(np.divide(agreeing, scale, out=np.full(len(times), np.nan), where=scale > 0))


def _agreement(tau: np.ndarray, draws: np.ndarray, n: int) -> RankAgreement:
    if np.isnan(tau[0]):
        return RankAgreement(None, None, n)
    return RankAgreement(float(tau[0]), _percentiles(draws[~np.isnan(draws)]), n)


def _percentiles(draws: np.ndarray) -> Interval:
    low, high = np.percentile(draws, [2.5, 97.5])
    return float(low), float(high)
