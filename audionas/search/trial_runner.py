"""`TrialRunner`: what stands between a strategy's proposals and an engine: numbers, log, repeats, limits, replay.

A strategy proposes a sample; the runner answers with trials. The log's lines are the order in which the strategy
heard of things, so replaying them in that order puts any strategy in the state in which it was stopped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from audionas.errors import RunError
from audionas.search.engines import Engine, Job, Outcome
from audionas.search.listener import SearchListener
from audionas.search.strategy import Strategy
from audionas.search.trials import FILE_NAME, Fidelity, Trial, TrialLog
from audionas.seeding import derive
from audionas.spaces import Genotype, SearchSpace
from audionas.training.ledger import count

PATIENCE = 1000  # proposals in a row that bring nothing new: the space is exhausted, or the limits leave nothing
Refuse = Callable[[Genotype], str | None]


def _accept(_: Genotype) -> None:
    return None


@dataclass(frozen=True)
class Answer:
    """What becomes of a proposal: a trial that is known already, one to wait for by its number, or a refusal."""

    number: int | None = None
    trial: Trial | None = None
    refusal: str | None = None


class TrialRunner:
    """Gives proposals numbers, runs each architecture once (at each fidelity), and keeps the log."""

    def __init__(
        self,
        space: SearchSpace,
        strategy: Strategy,
        engine: Engine,
        seed: int,
        log: TrialLog,
        listener: SearchListener | None = None,
        refuse: Refuse = _accept,
    ) -> None:
        self.space, self.strategy, self.seed, self.log = space, strategy, seed, log
        self._engine, self._listener, self._refuse = engine, listener or SearchListener(), refuse
        self._replay: deque[tuple[str, int]] = deque(log.events)
        self._logged = set(log.proposed)
        self._done: dict[tuple[str, Fidelity], Trial] = {}
        self._under_way: dict[int, tuple[str, Fidelity, Mapping[str, str]]] = {}
        self._waiting: deque[Job] = deque()
        self._n_running = 0
        self.count, self.spent, self.fruitless = 0, 0.0, 0

    @property
    def has_budget(self) -> bool:
        """Whether another candidate may be proposed; a full training counts 1, a shorter one in proportion."""
        return self.spent < self.strategy.budget.trials - 1e-9 and self.fruitless < PATIENCE

    @property
    def left(self) -> float:
        """Whole trainings of the budget that are not spent."""
        return self.strategy.budget.trials - self.spent

    @property
    def n_under_way(self) -> int:
        """Trials that were proposed and have not ended."""
        return len(self._under_way)

    @property
    def is_full(self) -> bool:
        """Whether the strategy should wait; in a replay, whether the log goes on with an end."""
        if self._replay:
            return self._replay[0][0] == "finished"
        return self.n_under_way >= self._engine.n_workers

    def propose(self, sample: Mapping[str, str], fidelity: Fidelity | None = None) -> Answer:
        """Start a trial, unless it is known or over a limit.

        Raises:
            RunError: the log holds another proposal at this place (other space, settings or versions).
        """
        genotype = self.space.genotype(sample)
        fidelity = fidelity or Fidelity(self.strategy.budget.epochs)
        known = self._known(genotype.hash, fidelity)
        if known is not None:
            self.fruitless += 1
            return known
        number = self.count
        reason = self._refusal(genotype, sample, number)
        if reason is not None:
            self.fruitless += 1
            return Answer(refusal=reason)
        self.count, self.fruitless = number + 1, 0
        self.spent += fidelity.cost(self.strategy.budget.epochs)
        self._under_way[number] = (genotype.hash, fidelity, dict(sample))
        self._begin(number, genotype, sample, fidelity)
        return Answer(number=number)

    def next(self) -> Trial:
        """Wait until a trial ends."""
        if self._replay:
            event, number = self._replay.popleft()
            if event != "finished" or number not in self._under_way:
                raise RunError(f"{FILE_NAME}: trial {number} is out of place; this log is of another search")
            return self._settle(self.log.finished[number])
        self._feed()
        outcome = self._engine.next()
        self._n_running -= 1
        trial = self._trial(outcome)
        self.log.finish(trial)
        self._listener.on_trial(trial)
        return self._settle(trial)

    def _known(self, genotype_hash: str, fidelity: Fidelity) -> Answer | None:
        """The answer of an architecture that was proposed before, isomorphic ones counted as equal."""
        done = self._done.get((genotype_hash, fidelity))
        if done is not None:
            return Answer(trial=done)
        for number, (each, its_fidelity, _) in self._under_way.items():
            if (each, its_fidelity) == (genotype_hash, fidelity):
                return Answer(number=number)
        return None

    def _refusal(self, genotype: Genotype, sample: Mapping[str, str], number: int) -> str | None:
        if number in self._logged and self.log.proposed[number] == genotype.hash:
            return None
        if genotype.hash in self.log.refused:
            return self.log.refused[genotype.hash]
        reason = self._refuse(genotype)
        if reason is not None:
            self.log.refuse(genotype.hash, sample, reason)
        return reason

    def _begin(self, number: int, genotype: Genotype, sample: Mapping[str, str], fidelity: Fidelity) -> None:
        seed = derive(self.seed, "trial", number)
        if number in self._logged:
            if self.log.proposed[number] != genotype.hash:
                raise RunError(f"{FILE_NAME}: trial {number} was another genotype; this log is of another search")
            if self._replay and self._replay[0] == ("proposed", number):
                self._replay.popleft()
        else:
            self.log.propose(number, genotype, sample, fidelity.epochs, seed, fidelity.fraction)
        if number not in self.log.finished:
            count(compared=1)
            self._waiting.append(Job(number, genotype, fidelity.epochs, seed, fidelity.fraction))
            self._feed()

    def _feed(self) -> None:
        """Give the engine what it has room for."""
        while self._waiting and self._n_running < self._engine.n_workers and not self._replay:
            self._engine.submit(self._waiting.popleft())
            self._n_running += 1

    def _trial(self, outcome: Outcome) -> Trial:
        genotype_hash, fidelity, sample = self._under_way[outcome.number]
        if outcome.costs:
            count(**outcome.costs)
        return Trial(outcome.number, genotype_hash, sample, outcome.status, outcome.score, outcome.error, fidelity)

    def _settle(self, trial: Trial) -> Trial:
        genotype_hash, fidelity, _ = self._under_way.pop(trial.number)
        self._done[genotype_hash, fidelity] = trial
        return trial
