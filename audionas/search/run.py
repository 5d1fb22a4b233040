"""`run_search`: (space, strategy, evaluator) -> the best genotype, through NNI; killable and resumable."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from audionas.search.algorithms import evolution_of
from audionas.search.engines import EngineOptions, check_engine, make_engine
from audionas.search.evaluator import TrainingEvaluator
from audionas.search.limits import LimitCheck
from audionas.search.listener import Pick, SearchListener
from audionas.search.multi_trial import search_multi_trial
from audionas.search.one_shot import search_one_shot
from audionas.search.path_search import search_paths
from audionas.search.retest import Winner
from audionas.search.strategy import Strategy
from audionas.spaces import Genotype, SearchSpace

StoppedBy = Literal["budget", "exhausted", "collapse"]


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
    options: EngineOptions | None = None,
    limits: LimitCheck | None = None,
) -> SearchResult:
    """Search, logging into `run` (`epochs.jsonl`, `checkpoint/` or `trials.jsonl`, `retests.jsonl`); goes on from logs.

    Args:
        engine: where trials run, with its `options`; a one-shot search runs in this process and takes no other.
        redrawn: of a multi-trial search, makes the evaluator of the re-test; without it only the seeds are new there.
        limits: what the networks may cost: a candidate beyond it is not trained, and the genotype found is within it.

    Raises:
        SettingsError: the engine is unknown or cannot do this search, the algorithm cannot search this kind of space,
            or `pick="best"` without a monitor part.
        NonFiniteLossError: the supernet's loss became NaN or infinite.
        RunError: no trial of a multi-trial search succeeded.
    """
    strategy.check_pick(pick, pick == "best" and bool(evaluator.data.parts.get("monitor")))
    strategy = strategy.for_space(space)
    check_engine(engine, options or EngineOptions(), strategy.name, strategy.kind)
    started = time.perf_counter()
    listener = listener or SearchListener()
    winner: Winner | None = None
    if strategy.kind == "one-shot":
        genotype: Genotype
        found = search_one_shot(space, strategy, evaluator, seed, run, pick, listener, limits)
        genotype, number = found.genotype, found.epoch
        stopped: StoppedBy = found.stopped_by
        if evolution_of(strategy.algorithm, strategy.settings):
            genotype = search_paths(space, strategy, evaluator, seed, run, listener, limits)
    else:
        genotype, winner, stopped = search_multi_trial(
            space, strategy, evaluator, seed, run, listener, redrawn,
            engine=partial(make_engine, engine, options=options),
            refuse=limits.refusal if limits else None,
        )  # fmt: skip
        number = winner.trial
    return SearchResult(genotype, number, time.perf_counter() - started, stopped, winner)
