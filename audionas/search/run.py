"""`run_search`: (space, strategy, evaluator) -> the best genotype, through NNI; killable and resumable."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from audionas.errors import SettingsError, unknown
from audionas.search.algorithms import evolution_of
from audionas.search.evaluator import TrainingEvaluator
from audionas.search.listener import Pick, SearchListener
from audionas.search.multi_trial import search_multi_trial
from audionas.search.one_shot import search_one_shot
from audionas.search.path_search import search_paths
from audionas.search.retest import Winner
from audionas.search.strategy import Strategy
from audionas.spaces import Genotype, SearchSpace

StoppedBy = Literal["budget", "exhausted", "collapse"]
ENGINES = ("in_process",)


@dataclass(frozen=True)
class SearchResult:
    """The genotype found and how the search ended; of a multi-trial search, how its winner won."""

    genotype: Genotype
    epoch_or_trial: int
    seconds: float
    stopped_by: StoppedBy
    winner: Winner | None = None


def run_search(
    space: SearchSpace,
    strategy: Strategy,
    evaluator: TrainingEvaluator,
    engine: str = "in_process",
    *,
    seed: int,
    run: Path,
    pick: Pick = "last",
    listener: SearchListener | None = None,
    redrawn: Callable[[], TrainingEvaluator] | None = None,
) -> SearchResult:
    """Search, logging into `run` (`epochs.jsonl`, `checkpoint/` or `trials.jsonl`, `retests.jsonl`); goes on from logs.

    Args:
        redrawn: of a multi-trial search, makes the evaluator of the re-test; without it only the seeds are new there.

    Raises:
        SettingsError: the engine is unknown, the algorithm cannot search this kind of space, or `pick="best"`
            without a monitor part.
        NonFiniteLossError: the supernet's loss became NaN or infinite.
        RunError: no trial of a multi-trial search succeeded.
    """
    if engine not in ENGINES:
        raise SettingsError(unknown("engine", engine, ENGINES))
    strategy.check_pick(pick, bool(evaluator.data.parts.get("monitor")))
    strategy = strategy.for_space(space)
    started = time.perf_counter()
    listener = listener or SearchListener()
    winner: Winner | None = None
    if strategy.kind == "one-shot":
        genotype: Genotype
        found = search_one_shot(space, strategy, evaluator, seed, run, pick, listener)
        genotype, number = found.genotype, found.epoch
        stopped: StoppedBy = found.stopped_by
        if evolution_of(strategy.algorithm, strategy.settings):
            genotype = search_paths(space, strategy, evaluator, seed, run, listener)
    else:
        genotype, winner, stopped = search_multi_trial(space, strategy, evaluator, seed, run, listener, redrawn)
        number = winner.trial
    return SearchResult(genotype, number, time.perf_counter() - started, stopped, winner)
