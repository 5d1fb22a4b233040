"""A strategy replayed on a table of trained cells: which trials it would have run, and how far it would have come."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import numpy as np
from numpy.typing import NDArray

from audionas.search.algorithms import ALGORITHMS
from audionas.search.engines import make_engine
from audionas.search.multi_trial import propose_all
from audionas.search.strategy import Strategy
from audionas.search.tabular import TabularEvaluator
from audionas.search.tabular_space import PoolSpace, TableSpace
from audionas.search.trial_runner import TrialRunner
from audionas.search.trials import FILE_NAME, Trial, TrialLog
from audionas.errors import SettingsError
from audionas.spaces import SearchSpace


def replay(
    space: SearchSpace | TableSpace | PoolSpace, strategy: Strategy, evaluator: TabularEvaluator, *, seed: int
) -> list[Trial]:
    """The trials of a search on a table, in the order in which they ended. There is no re-test.

    Raises:
        SettingsError: the strategy is one-shot and trains no candidates.
    """
    if ALGORITHMS[strategy.algorithm].kind != "multi-trial":
        raise SettingsError(f"strategy {strategy.name!r} is one-shot: it trains one supernet and cannot read a table")
    with TemporaryDirectory() as folder:
        log = TrialLog(Path(folder) / FILE_NAME)
        its_space = cast(SearchSpace, space)
        propose_all(its_space, strategy, TrialRunner(its_space, strategy, make_engine("in_process", evaluator), seed, log))
        return list(log.finished.values())


def regret_curve(evaluator: TabularEvaluator, trials: Sequence[Trial]) -> NDArray[np.float64]:
    """(trials,) float64: after each trial, how far the best score so far is below the best of the table.

    It is NaN until a trial has succeeded.
    """
    scores = [np.nan if trial.score is None else trial.score.ua for trial in trials]
    return np.asarray(evaluator.regret(np.fmax.accumulate(scores)), dtype=np.float64)  # type: ignore[arg-type]
