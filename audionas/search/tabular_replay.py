"""A strategy replayed on a table of trained cells: which trials it would have run, and how far it would have come."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from audionas.errors import SettingsError
from audionas.search.algorithms import ALGORITHMS
from audionas.search.engines import make_engine
from audionas.search.multi_trial import propose_all
from audionas.search.proxy_ranking import ProxyRanking
from audionas.search.strategy import Budget, Strategy
from audionas.search.tabular import TabularEvaluator
from audionas.search.tabular_space import PoolSpace, TableSpace
from audionas.search.trial_runner import TrialRunner
from audionas.search.trials import Trial, TrialLog
from audionas.spaces import Genotype, SearchSpace


class MemoryLog(TrialLog):
    """A log that is not written: flushing each line to the disk would take longer than all else."""

    def __init__(self) -> None:
        self.events: list[tuple[str, int]] = []
        self.proposed: dict[int, str] = {}
        self.finished: dict[int, Trial] = {}
        self.refused: dict[str, str] = {}

    def propose(self, number: int, genotype: Genotype, sample: Mapping[str, str], epochs: int, seed: int,
                fraction: float = 1.0) -> None:  # fmt: skip
        """Note a candidate."""
        self.proposed[number] = genotype.hash

    def finish(self, trial: Trial) -> None:
        """Note a result."""
        self.finished[trial.number] = trial

    def refuse(self, genotype_hash: str, sample: Mapping[str, str], reason: str) -> None:
        """Note a candidate that is over a limit."""
        self.refused[genotype_hash] = reason


def replay(
    space: SearchSpace | TableSpace | PoolSpace, strategy: Strategy, evaluator: TabularEvaluator, *, seed: int
) -> list[Trial]:
    """The trials of a search on a table, in the order in which they ended. There is no re-test.

    Raises:
        SettingsError: the strategy is one-shot and trains no candidates, or it asks for a zero-cost proxy that the
            table does not hold.
    """
    if ALGORITHMS[strategy.algorithm].kind != "multi-trial":
        raise SettingsError(f"strategy {strategy.name!r} is one-shot: it trains one supernet and cannot read a table")
    log, its_space = MemoryLog(), cast(SearchSpace, space)
    engine = make_engine("in_process", evaluator)
    ranking = ProxyRanking(its_space, evaluator, seed, None)
    propose_all(its_space, strategy, TrialRunner(its_space, strategy, engine, seed, log), ranking)
    return list(log.finished.values())


def regret_curve(evaluator: TabularEvaluator, trials: Sequence[Trial]) -> NDArray[np.float64]:
    """(trials,) float64: after each trial, how far the best score so far is below the best of the table.

    It is NaN until a trial has succeeded.
    """
    scores = [np.nan if trial.score is None else trial.score.ua for trial in trials]
    return np.asarray(evaluator.regret(np.fmax.accumulate(scores)), dtype=np.float64)  # type: ignore[arg-type]


def regret_by_budget(evaluator: TabularEvaluator, trials: Sequence[Trial], budget: Budget) -> NDArray[np.float64]:
    """(budget.trials,) float64: the same after each whole training's worth, in which shorter trainings count in part.

    A strategy answers with the best of those that it trained whole, so only these count; it is NaN until one has
    succeeded. Where every training is whole this is `regret_curve`; a search that ended early keeps its last value.
    """
    found, spent = np.full(budget.trials, np.nan), 0.0
    for trial in trials:
        cost = trial.fidelity.cost(budget.epochs) if trial.fidelity else 1.0
        spent += cost
        place = math.ceil(spent - 1e-9) - 1
        if trial.score is not None and cost == 1.0 and place < len(found):
            found[place] = np.fmax(found[place], trial.score.ua)
    return np.asarray(evaluator.regret(np.fmax.accumulate(found)), dtype=np.float64)  # type: ignore[arg-type]
