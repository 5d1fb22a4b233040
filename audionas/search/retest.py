"""The re-test: the best trials are trained anew with new seeds on a redrawn division, which alone names the winner.

The best of many noisy scores is the best partly by luck: of n candidates that are equally good, with noise of
standard deviation s, the highest score lies s x E(max of n standard normals) above the truth, 1.87 s for n = 20.
A score from a second, independent training has no part in that luck, so the mean over re-tests is unbiased. The
winner's own re-test is the best of those re-tested and still optimistic, by 1.16 s for 5: no score here is a result.

Source: Cawley and Talbot 2010, "On Over-fitting in Model Selection and Subsequent Selection Bias in Performance
Evaluation"; the rule of the second training is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from audionas.errors import RunError
from audionas.search.engines import Engine, Job
from audionas.search.listener import SearchListener
from audionas.search.strategy import Strategy
from audionas.search.trials import Fidelity, Trial, TrialLog
from audionas.seeding import derive
from audionas.spaces import SearchSpace
from audionas.training.ledger import count

FILE_NAME = "retests.jsonl"


@dataclass(frozen=True)
class Winner:
    """Who won and how: `first` and `retest` are values of the objective, `rank_first` counts architectures from 1.

    `n_retested` counts those trained anew, `failed` (numbers of trials) are those of them without a score.
    """

    trial: int
    objective: str
    first: float
    retest: float | None
    n_retested: int
    rank_first: int
    failed: tuple[int, ...] = ()


def n_retests(n_trials: int, asked: int) -> int:
    """How many trials are re-tested: at most half of them, and none where there would be nothing to choose.

    >>> [n_retests(n, 5) for n in (3, 4, 7, 10, 100)]
    [0, 2, 3, 5, 5]
    """
    n = min(asked, n_trials // 2)
    return n if n >= 2 else 0


def retest(
    space: SearchSpace,
    strategy: Strategy,
    engine: Engine,
    seed: int,
    run: Path,
    ranked: Sequence[Trial],
    listener: SearchListener,
) -> list[Trial]:
    """Train these trials' genotypes anew; finished ones are read from `retests.jsonl`. In the order of `ranked`.

    Raises:
        RunError: the log holds re-tests of another search.
    """
    log = TrialLog(run / FILE_NAME)
    first = {trial.number: trial for trial in ranked}
    for number, logged in log.finished.items():
        if number not in first or first[number].hash != logged.hash:
            raise RunError(f"{run / FILE_NAME}: the re-test of trial {number} is of another search; remove the file")
    waiting = [trial for trial in ranked if trial.number not in log.finished]
    n_running = 0
    while waiting or n_running:
        while waiting and n_running < engine.n_workers:
            engine.submit(_job(space, strategy, seed, waiting.pop(0), log))
            n_running += 1
        outcome = engine.next()
        n_running -= 1
        count(**outcome.costs)
        trial = first[outcome.number]
        again = Trial(
            trial.number, trial.hash, trial.sample, outcome.status, outcome.score, outcome.error,
            Fidelity(strategy.budget.epochs),
        )  # fmt: skip
        log.finish(again)
        listener.on_retest(again, trial, len(log.finished), len(ranked))
    return [log.finished[trial.number] for trial in ranked]


def _job(space: SearchSpace, strategy: Strategy, seed: int, trial: Trial, log: TrialLog) -> Job:
    count(compared=1)
    genotype, new_seed = space.genotype(dict(trial.sample)), derive(seed, "retest", trial.number)
    log.propose(trial.number, genotype, trial.sample, strategy.budget.epochs, new_seed)
    return Job(trial.number, genotype, strategy.budget.epochs, new_seed)


def name_winner(ranked: Sequence[Trial], retested: Sequence[Trial], objective: str) -> Winner:
    """The best by the re-test alone; by the first scores where nothing was re-tested, or every re-test failed.

    Args:
        ranked: trials with a score, one an architecture, best first.
        retested: the re-tests of the first of them.
    """
    done = [again for again in retested if again.score is not None]
    best = min(done, key=lambda again: again.rank(objective), default=ranked[0])
    number = best.number
    rank, first = next((place, trial) for place, trial in enumerate(ranked, start=1) if trial.number == number)
    failed = tuple(again.number for again in retested if again.score is None)
    new = best.value(objective) if done else None
    return Winner(number, objective, first.value(objective), new, len(retested), rank, failed)
