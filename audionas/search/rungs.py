"""Rungs and brackets of successive halving: who is trained how thoroughly, and who is trained on.

Sources: Li et al. 2020, "A System for Massively Parallel Hyperparameter Tuning" (ASHA), algorithm 2; Li et al. 2018,
"Hyperband", algorithm 1. Differences: a promoted candidate is trained anew and not trained on, because the learning
rate of each training decays to its own end; a failed trial stays in its rung and is never promoted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from audionas.errors import SettingsError
from audionas.search.algorithms import setting_defaults
from audionas.search.strategy import Budget, Strategy
from audionas.search.trials import Fidelity

Sample = Mapping[str, str]
Rank = tuple[float, int, int]  # sort key, best first; see `Trial.rank`
BY = ("epochs", "fraction")
LAST: Rank = (math.inf, 0, 0)


def check_rungs(by: str, eta: int, rungs: int) -> None:
    """Refuse settings that make no rungs.

    Raises:
        SettingsError: naming what is accepted.
    """
    if by not in BY:
        raise SettingsError(f"settings.by: got {by!r}; accepted: {', '.join(BY)}")
    if not 2 <= eta <= 100:
        raise SettingsError(f"settings.eta: got {eta}, must be 2 to 100: the best 1/eta of a rung are promoted")
    if not 1 <= rungs <= 20:
        raise SettingsError(f"settings.rungs: got {rungs}, must be 1 to 20")


def make_rungs(budget: Budget, by: str, eta: int, rungs: int) -> tuple[Fidelity, ...]:
    """The fidelities of the rungs, least first; the last is a whole training.

    Rungs of epochs are rounded, of at least one epoch, and equal ones are one. Each rung of a bracket costs about one
    whole training; where the budget does not reach up to the last one, the lowest rungs are left out.

    >>> [rung.epochs for rung in make_rungs(Budget(epochs=20, trials=9), "epochs", 3, 3)]
    [2, 7, 20]
    """
    shares = [float(eta) ** -k for k in reversed(range(min(rungs, budget.trials)))]
    if by == "fraction":
        found = [Fidelity(budget.epochs, share) for share in shares]
    else:
        found = [Fidelity(n) for n in dict.fromkeys(max(1, round(budget.epochs * share)) for share in shares)]
    while len(found) > 1 and _cost_to_the_top(found, eta, budget.epochs) > budget.trials + 1e-9:
        del found[0]
    return tuple(found)


def _cost_to_the_top(rungs: Sequence[Fidelity], eta: int, whole: int) -> float:
    """Whole trainings until one candidate is at the last rung: eta of each rung for one of the next."""
    return sum(float(eta**k) * rung.cost(whole) for k, rung in enumerate(reversed(rungs)))


def rungs_of(strategy: Strategy) -> tuple[Fidelity, ...]:
    """The fidelities that a strategy trains at, least first; of most strategies whole trainings alone."""
    if strategy.algorithm not in ("successive_halving", "hyperband"):
        return (Fidelity(strategy.budget.epochs),)
    settings = setting_defaults(strategy.algorithm) | strategy.settings
    return make_rungs(strategy.budget, settings["by"], settings["eta"], settings["rungs"])


def rungs_text(rungs: Sequence[Fidelity], shown: Sequence[Fidelity] | None = None) -> str:
    """What rungs differ in, in words, of all or of those `shown`.

    >>> rungs_text([Fidelity(2), Fidelity(7), Fidelity(20)])
    '2, 7 or 20 epochs'
    >>> rungs_text([Fidelity(1), Fidelity(3)], [Fidelity(1)])
    '1 epoch'
    >>> rungs_text([Fidelity(20, 1 / 3), Fidelity(20)])
    '33 or 100 % of the training clips'
    """
    by_share = any(rung.fraction < 1 for rung in rungs)
    shown = rungs if shown is None else shown
    values = [f"{100 * rung.fraction:.0f}" if by_share else str(rung.epochs) for rung in shown]
    listed = " or ".join([", ".join(values[:-1]), values[-1]] if values[1:] else values)
    unit = "epoch" if listed == "1" else "epochs"
    return f"{listed} {'% of the training clips' if by_share else unit}"


def halving_brackets(rungs: tuple[Fidelity, ...], eta: int) -> Iterator[Bracket]:
    """Successive halving, asynchronous: one bracket without end."""
    yield Bracket(rungs, eta)


def hyperband_brackets(rungs: tuple[Fidelity, ...], eta: int) -> Iterator[Bracket]:
    """Hyperband: brackets that begin at each rung in turn, from the lowest, again and again.

    A bracket of s + 1 rungs out of S takes ceil(S / (s + 1) x eta^s) candidates.
    """
    while True:
        for s in reversed(range(len(rungs))):
            yield Bracket(rungs[-s - 1 :], eta, math.ceil(len(rungs) / (s + 1) * eta**s))


@dataclass(frozen=True)
class Promotion:
    """A candidate that is to be trained at a higher rung."""

    rung: int
    sample: Sample
    genotype_hash: str


class Bracket:
    """Who is in which rung. `size` is how many candidates it takes at its lowest rung; None is without end."""

    def __init__(self, rungs: tuple[Fidelity, ...], eta: int, size: int | None = None) -> None:
        self.rungs, self._eta, self._size = rungs, eta, size
        self._ended: list[dict[str, tuple[Rank, Sample]]] = [{} for _ in rungs]
        self._promoted: list[set[str]] = [set() for _ in rungs]
        self._n_open = 0

    @property
    def has_room(self) -> bool:
        """Whether it takes another candidate."""
        return self._size is None or len(self._ended[0]) + self._n_open < self._size

    def open(self) -> None:
        """A candidate has begun at the lowest rung."""
        self._n_open += 1

    def close(self) -> None:
        """A candidate at the lowest rung has ended, in whatever way."""
        self._n_open -= 1

    def note(self, rung: int, genotype_hash: str, sample: Sample, rank: Rank | None) -> None:
        """A trial has ended at a rung; without a rank it failed. An architecture counts once."""
        self._ended[rung].setdefault(genotype_hash, (rank or LAST, sample))

    def promotions(self) -> Iterator[Promotion]:
        """Those among the best 1/eta of a rung that are not promoted yet; higher rungs first, then better ones."""
        for rung in reversed(range(len(self.rungs) - 1)):
            ended = self._ended[rung]
            best = sorted(ended, key=lambda each: ended[each][0])[: len(ended) // self._eta]
            for genotype_hash in best:
                rank, sample = ended[genotype_hash]
                if genotype_hash not in self._promoted[rung] and rank != LAST:
                    yield Promotion(rung + 1, sample, genotype_hash)

    def climb(self, above: int) -> Iterator[tuple[int, Fidelity]]:
        """How many must still begin at each rung above one, so that the best of them reaches the highest."""
        last = len(self.rungs) - 1
        for rung in range(above + 1, last + 1):
            yield max(self._eta ** (last - rung) - len(self._promoted[rung - 1]), 0), self.rungs[rung]

    def promote(self, promotion: Promotion) -> None:
        """The candidate has begun at the higher rung."""
        self._promoted[promotion.rung - 1].add(promotion.genotype_hash)
